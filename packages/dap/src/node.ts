import type { Readable, Writable } from 'node:stream'
import type { ByteStream } from './byte-stream.ts'

/** A pair of Node streams: `nodeStream(socket, socket)`, `nodeStream(child.stdout, child.stdin)`, `nodeStream(process.stdin, process.stdout)`. */
export function nodeStream(input: Readable, output: Writable): ByteStream {
  // A reader that went away is told by the end of the input; what is written after that has nobody to go to.
  output.on('error', () => {})
  /** Until what was written has gone out; one wait for all who write meanwhile. */
  let full: Promise<void> | undefined
  return {
    input,
    write(bytes) {
      if (output.destroyed || output.writableEnded) return undefined
      if (output.write(bytes)) return undefined
      full ??= drained(output).finally(() => {
        full = undefined
      })
      return full
    },
    close() {
      // What is written still goes out; whoever does not read it loses the connection all the same when this process ends.
      output.end(() => input.destroy())
    },
  }
}

function drained(output: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      output.off('drain', done)
      output.off('close', done)
      resolve()
    }
    output.on('drain', done)
    output.on('close', done)
  })
}
