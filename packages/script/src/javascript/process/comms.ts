import type { CommWire } from '../wire.ts'
import type { ScriptThread } from './script-thread.ts'

type Callback = (data: unknown, buffers: Uint8Array[], metadata: Record<string, unknown>) => void

/** A channel between the script and a front end. */
class Comm {
  readonly id: string
  readonly target: string
  readonly #thread: ScriptThread
  #messages: Callback[] = []
  #closings: Callback[] = []
  #open = true

  constructor(thread: ScriptThread, id: string, target: string) {
    this.#thread = thread
    this.id = id
    this.target = target
  }

  send(data: unknown = {}, options: { metadata?: Record<string, unknown>; buffers?: Uint8Array[] } = {}): void {
    if (!this.#open) throw new Error(`comm ${this.id} is closed`)
    this.#emit('msg', data, options)
  }

  onMsg(callback: Callback): this {
    this.#messages.push(callback)
    return this
  }

  onClose(callback: Callback): this {
    this.#closings.push(callback)
    return this
  }

  close(data: unknown = {}): void {
    if (!this.#open) return
    this.#open = false
    open.delete(this.id)
    this.#emit('close', data, {})
  }

  /** @internal */
  deliver(event: CommWire): void {
    const buffers = event.buffers.map((one) => new Uint8Array(Buffer.from(one, 'base64')))
    const callbacks = event.type === 'close' ? this.#closings : this.#messages
    if (event.type === 'close') {
      this.#open = false
      open.delete(this.id)
    }
    for (const callback of callbacks) callback(event.data, buffers, event.metadata)
  }

  /** @internal */
  announce(data: unknown, metadata: Record<string, unknown>): void {
    this.#emit('open', data, { metadata })
  }

  #emit(type: CommWire['type'], data: unknown, options: { metadata?: Record<string, unknown>; buffers?: Uint8Array[] }): void {
    this.#thread.check()
    this.#thread.send({
      t: 'comm',
      n: this.#thread.owner,
      event: {
        type,
        commId: this.id,
        ...(type === 'open' && { targetName: this.target }),
        data,
        metadata: options.metadata ?? {},
        buffers: (options.buffers ?? []).map((one) => Buffer.from(one.buffer, one.byteOffset, one.byteLength).toString('base64')),
      },
    })
  }
}

const open = new Map<string, Comm>()
const targets = new Map<string, (comm: Comm, data: unknown) => void>()

export function comms(thread: ScriptThread): object {
  return Object.freeze({
    open(target: string, data: unknown = {}, metadata: Record<string, unknown> = {}): Comm {
      if (typeof target !== 'string' || target === '') throw new TypeError('Comm.open: the target is a name')
      const comm = new Comm(thread, crypto.randomUUID(), target)
      open.set(comm.id, comm)
      comm.announce(data, metadata)
      return comm
    },
    registerTarget(name: string, callback: (comm: Comm, data: unknown) => void): void {
      if (typeof callback !== 'function') throw new TypeError('Comm.registerTarget: expected a function')
      targets.set(name, callback)
    },
  })
}

/** What `deliver` finds for an event: run it in the execution the front end's message belongs to. */
export function takerOf(thread: ScriptThread, event: CommWire): (() => void) | undefined {
  if (event.type === 'open') {
    const callback = targets.get(event.targetName ?? '')
    if (!callback) return undefined
    return () => {
      const comm = new Comm(thread, event.commId, event.targetName ?? '')
      open.set(comm.id, comm)
      callback(comm, event.data)
    }
  }
  const comm = open.get(event.commId)
  return comm && (() => comm.deliver(event))
}
