export interface SignalActions {
  /** TERM, and INT unless `interrupt` is given. The second time the process ends at once. */
  stop(signal: NodeJS.Signals): void
  /** INT of a kernel whose owner interrupts it by signal, as Jupyter does with kernels whose kernelspec does not say otherwise. */
  interrupt: (() => void) | undefined
  /** HUP means that the terminal was closed. */
  hangUpStops: boolean
  /** HUP otherwise. */
  reload(): void
  /** USR2. */
  statistics(): void
}

/** The code a shell reports for a process that was ended by this signal. */
const SIGNAL_EXIT = { SIGTERM: 143, SIGINT: 130, SIGHUP: 129 } as const

export function installSignals({ stop, interrupt, hangUpStops, reload, statistics }: SignalActions): void {
  let stopping = false
  const end = (signal: keyof typeof SIGNAL_EXIT): void => {
    if (stopping) process.exit(SIGNAL_EXIT[signal])
    stopping = true
    stop(signal)
  }
  process.on('SIGTERM', () => end('SIGTERM'))
  process.on('SIGINT', interrupt ?? (() => end('SIGINT')))
  process.on('SIGHUP', hangUpStops ? () => end('SIGHUP') : reload)
  process.on('SIGUSR2', statistics)
}
