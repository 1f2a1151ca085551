import { Console } from 'node:console'
import { Writable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import type { ScriptThread } from './script-thread.ts'

/**
 * `console` and the two process streams, on plain functions: a stream that an interrupt has stopped in the middle of a write would
 * buffer for ever.
 */
export function installConsole(thread: ScriptThread): void {
  const writer = (stream: 'stdout' | 'stderr') => (text: string) => {
    thread.check()
    thread.outbox.text(thread.owner, stream, text)
    return true
  }
  const out = writer('stdout')
  const err = writer('stderr')
  const own = new Console({
    stdout: { write: out } as unknown as NodeJS.WritableStream,
    stderr: { write: err } as unknown as NodeJS.WritableStream,
    ignoreErrors: false,
  })
  Object.defineProperty(globalThis, 'console', { value: own, writable: true, configurable: true, enumerable: false })
  defineStream('stdout', 1, out)
  defineStream('stderr', 2, err)
}

function defineStream(name: 'stdout' | 'stderr', fd: number, write: (text: string) => boolean): void {
  let stream: Writable | undefined
  Object.defineProperty(process, name, {
    configurable: true,
    enumerable: true,
    get: () => (stream ??= makeStream(fd, write)),
  })
}

function makeStream(fd: number, write: (text: string) => boolean): Writable {
  const decoder = new StringDecoder('utf8')
  const stream = new Writable({ decodeStrings: false })
  return Object.assign(stream, {
    fd,
    isTTY: false,
    write(chunk: unknown, encoding?: unknown, callback?: unknown): boolean {
      if (typeof chunk === 'string')
        write(encoding === undefined || typeof encoding === 'function' ? chunk : decode(chunk, encoding as BufferEncoding))
      else if (ArrayBuffer.isView(chunk)) write(decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)))
      else throw new TypeError(`The "chunk" argument must be of type string or an instance of Buffer, TypedArray, or DataView`)
      const done = typeof encoding === 'function' ? encoding : callback
      if (typeof done === 'function') process.nextTick(done)
      return true
    },
  })
}

function decode(text: string, encoding: BufferEncoding): string {
  return encoding === 'utf8' || encoding === 'utf-8' ? text : Buffer.from(text, encoding).toString('utf8')
}
