import { Script } from 'node:vm'
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import type { HostError, HostReply } from '../wire.ts'
import type { Cell } from './cell.ts'
import { toHostJson } from './host-values.ts'
import { SYNC_BELL, WATCH_CALLS } from './shared.ts'

/** By which a debugger knows the error of a host call: the function's name. */
const CALL = Symbol.for('llmspell.call')

interface Pending {
  name: string
  cell: Cell | undefined
  resolve(value: unknown): void
  reject(error: unknown): void
  /** Holds the stack of the caller. */
  site: { stack?: string }
}

/** Calls from scripts into the kernel. */
export class HostCalls {
  readonly #words: Int32Array
  readonly #replies: MessagePort
  readonly #send: (json: string) => void
  readonly #pending = new Map<number, Pending>()
  #id = 0

  constructor(words: Int32Array, replies: MessagePort, send: (json: string) => void) {
    this.#words = words
    this.#replies = replies
    this.#send = send
  }

  /** Calls that wait for an answer. */
  get size(): number {
    return this.#pending.size
  }

  call(cell: Cell | undefined, name: string, args: readonly unknown[], caller: (...args: never[]) => unknown): Promise<unknown> {
    const site: Pending['site'] = {}
    Error.captureStackTrace(site, caller)
    return new Promise((resolve, reject) => {
      const json = toHostJson(args, name)
      const id = ++this.#id
      this.#pending.set(id, { name, cell, resolve, reject, site })
      this.#send(`{"t":"call","n":${cell?.owner ?? 0},"id":${id},"name":${JSON.stringify(name)},"args":${json}}`)
    })
  }

  callSync(cell: Cell | undefined, name: string, args: readonly unknown[]): unknown {
    const json = toHostJson(args, name)
    const id = ++this.#id
    this.#send(`{"t":"call","n":${cell?.owner ?? 0},"id":${id},"name":${JSON.stringify(name)},"args":${json},"sync":true}`)
    return this.#wait(id, name)
  }

  input(cell: Cell | undefined, prompt: string, password: boolean): string | null {
    const id = ++this.#id
    this.#send(`{"t":"input","n":${cell?.owner ?? 0},"id":${id},"prompt":${JSON.stringify(prompt)},"password":${password}}`)
    return (this.#wait(id, 'input') ?? null) as string | null
  }

  onReply(reply: HostReply): void {
    const pending = this.#pending.get(reply.id)
    if (!pending) return
    this.#pending.delete(reply.id)
    if (!reply.error) return pending.resolve(reply.value)
    const error = toError(reply.error, pending.name, pending.site)
    if (this.#words[WATCH_CALLS] !== 0) {
      try {
        raise(error)
      } catch {
        // Only to be seen.
      }
    }
    pending.reject(error)
  }

  /** Forgets the calls of a stopped execution: nobody is left to take their answers. */
  cancel(cell: Cell): void {
    for (const [id, pending] of this.#pending) if (pending.cell === cell) this.#pending.delete(id)
  }

  /** Blocks this thread; only an interrupt ends it before the answer. */
  #wait(id: number, name: string): unknown {
    for (;;) {
      const bell = Atomics.load(this.#words, SYNC_BELL)
      const message = receiveMessageOnPort(this.#replies)
      if (message === undefined) {
        Atomics.wait(this.#words, SYNC_BELL, bell)
        continue
      }
      const reply = JSON.parse(message.message as string) as HostReply
      // Of a call that was interrupted.
      if (reply.id !== id) continue
      if (reply.error) return raise(toError(reply.error, name))
      return reply.value
    }
  }
}

/** Throws, where a debugger may stop: all else of the engine it passes over. */
function raise(error: Error): never {
  raiser ??= new Script('(function (error) { throw error })', { filename: 'llmspell:raise' }).runInThisContext() as (error: Error) => never
  return raiser(error)
}

let raiser: ((error: Error) => never) | undefined

function toError(wire: HostError, call: string, site?: { stack?: string }): Error {
  const error = new Error(wire.message)
  Object.defineProperty(error, CALL, { value: call })
  Object.defineProperty(error, 'name', { value: wire.name, configurable: true, writable: true, enumerable: false })
  const frames = site?.stack?.split('\n').slice(1).join('\n')
  const stack = frames ? `${wire.name}: ${wire.message}\n${frames}` : error.stack?.replace(/^Error/, wire.name)
  Object.defineProperty(error, 'stack', { value: stack, configurable: true, writable: true, enumerable: false })
  const { code, data, hint } = wire
  return Object.assign(
    error,
    code !== undefined && { code },
    hint !== undefined && { hint },
    data && Object.keys(data).length > 0 && { data },
  )
}
