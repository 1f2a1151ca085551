import { stripVTControlCharacters } from 'node:util'

/** The streams of this process, as commands use them. */
export interface Terminal {
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  /** Results. */
  out(text: string): void
  /** Everything that is not a result: notes, progress, errors. */
  note(text: string): void
  /** A passing line for slow steps, on a terminal only; `undefined` takes it away. */
  progress(text: string | undefined): void
  /** Aborted when whoever read our output went away (`| head`): what is written from then on is lost. */
  readonly readerGone: AbortSignal
  /** Whether a stream wants colour: a terminal, and neither NO_COLOR nor TERM=dumb. */
  colors(stream: 'stdout' | 'stderr'): boolean
}

type Streams = Pick<NodeJS.Process, 'stdin' | 'stdout' | 'stderr'>

export function createTerminal(streams: Streams, env: NodeJS.ProcessEnv): Terminal {
  let shown = ''
  const gone = new AbortController()
  for (const stream of [streams.stdout, streams.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      gone.abort()
    })
  }
  const clear = (): void => {
    if (shown) streams.stderr.write('\r\x1b[K')
    shown = ''
  }
  const terminal: Terminal = {
    // Read lazily: touching process.stdin opens it, which costs time and can hold the process.
    get stdin() {
      return streams.stdin as NodeJS.ReadStream
    },
    stdout: streams.stdout as NodeJS.WriteStream,
    stderr: streams.stderr as NodeJS.WriteStream,
    readerGone: gone.signal,
    out(text) {
      clear()
      streams.stdout.write(text)
    },
    note(text) {
      clear()
      streams.stderr.write(terminal.colors('stderr') ? text : stripVTControlCharacters(text))
    },
    progress(text) {
      if (!streams.stderr.isTTY) return
      clear()
      if (text) streams.stderr.write(text)
      shown = text ?? ''
    },
    colors(stream) {
      if (env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '0') return true
      return streams[stream].isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb'
    },
  }
  return terminal
}
