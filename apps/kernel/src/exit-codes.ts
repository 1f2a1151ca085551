/** What the kernel process says with its exit code; a service manager and the CLI read it. */
export const EXIT = {
  /** Stopped as asked: shutdown, signal, idle time-out, its owner is gone. */
  ok: 0,
  /** A word of the command line has a value that cannot be. */
  usage: 2,
  /** The configuration or the connection file is wrong. */
  config: 5,
  /** A defect: the log tells. EX_SOFTWARE of sysexits.h. */
  crash: 70,
  /** A socket could not be bound for another reason than being taken, a directory cannot be used, the launcher refused. EX_CANTCREAT. */
  cannotStart: 73,
  /** A port is taken, or a kernel of this id runs. EADDRINUSE of Linux. */
  inUse: 98,
} as const

export function exitCodeOf(code: string | undefined): number {
  if (code === 'kernel.usage' || code === 'config.bad_kernel_id') return EXIT.usage
  if (code === 'config.invalid' || code === 'connection_file.invalid' || code === 'registration_file.invalid') return EXIT.config
  if (code === 'zmq.address_in_use' || code === 'kernel.already_running') return EXIT.inUse
  if (code === undefined) return EXIT.crash
  return EXIT.cannotStart
}
