import { AsyncLocalStorage } from 'node:async_hooks'
import { Session } from 'node:inspector'
import { promiseHooks } from 'node:v8'
import { MessageChannel, Worker } from 'node:worker_threads'
import { type FromScript, jsonFrame, type Outcome, type ToScript } from '../wire.ts'
import { installConsole } from './console.ts'
import { describeError } from './errors.ts'
import { Outbox } from './outbox.ts'
import type { ForScript, Run, ScriptMessage } from './script-messages.ts'
import { type GuardData, INTERRUPT_ACK, INTERRUPT_ASKED, lock, OUT_OPEN, OUTBOX_BYTES, RUNNING, TAKEN, unlock, WORDS } from './shared.ts'
import { toBundle } from './show.ts'

/** One execution, as long as anything of it lives. */
export interface Cell {
  readonly n: number
  readonly source: string
  readonly url: string
  readonly wantResult: boolean
  /** It has been answered. */
  done: boolean
  /** It was interrupted: what is left of it must not act any more. */
  cancelled: boolean
}

/** The main thread of the engine process. All user code runs here, and as little else as can be. */
export class ScriptThread {
  readonly outbox: Outbox
  readonly cells: AsyncLocalStorage<Cell> = new AsyncLocalStorage<Cell>()
  readonly #words: Int32Array
  readonly #session = new Session()
  #current: Cell | undefined
  #last: Cell | undefined
  /** The first promise of each running evaluation: V8 aborts the process when it is collected while the evaluation is pending. */
  readonly #held = new Set<Promise<unknown>>()
  #stopHook: (() => void) | undefined
  readonly #taker: string
  #taken: unknown

  constructor(words: Int32Array, outbox: Outbox) {
    this.#words = words
    this.outbox = outbox
    this.#session.connect()
    this.#taker = this.#remember('taker', (value: unknown) => {
      this.#taken = value
    })
  }

  /** The inspector's handle of a value of this thread. */
  #remember(name: string, value: unknown): string {
    const key = `llmspell:${name}`
    Object.defineProperty(globalThis, key, { value, configurable: true })
    let handle = ''
    this.#session.post('Runtime.evaluate', { expression: `globalThis['${key}']`, objectGroup: 'engine' }, (_, response) => {
      handle = (response as unknown as EvaluateResponse).result.objectId as string
    })
    Reflect.deleteProperty(globalThis, key)
    return handle
  }

  send(message: FromScript): void {
    this.outbox.frame(jsonFrame(message))
  }

  onMessage(message: ScriptMessage): void {
    const { seq, body } = message
    if (seq !== 0) {
      lock(this.#words)
      const old = seq <= (this.#words[TAKEN] as number)
      if (!old) this.#words[TAKEN] = seq
      unlock(this.#words)
      if (old) return
    }
    if (typeof body === 'string') this.#onKernelMessage(JSON.parse(body) as ToScript)
    else this.#onGuardMessage(body)
  }

  #onKernelMessage(_message: ToScript): void {}

  #onGuardMessage(message: Exclude<ForScript, string>): void {
    switch (message.t) {
      case 'run':
        return this.#run(message)
      case 'interrupt':
        return this.#onInterrupt(message.n)
      case 'init':
        this.send({ t: 'ready', versions: { node: process.versions.node, v8: process.versions.v8 } })
    }
  }

  #onInterrupt(n: number): void {
    this.#stopHook?.()
    this.#stopHook = undefined
    lock(this.#words)
    const cell = this.#current
    if (cell && !cell.done) {
      cell.cancelled = true
      this.#finishLocked(cell, { status: 'interrupted', error: interruptedError() })
    }
    Atomics.store(this.#words, INTERRUPT_ACK, n)
    Atomics.notify(this.#words, INTERRUPT_ACK)
    unlock(this.#words)
  }

  #run(message: Run): void {
    const cell: Cell = {
      n: message.n,
      source: message.source,
      url: message.url,
      wantResult: message.wantResult,
      done: false,
      cancelled: false,
    }
    this.#current = cell
    this.#last = cell
    this.#words[RUNNING] = cell.n
    this.cells.run(cell, () => this.#evaluate(cell, message))
  }

  #evaluate(cell: Cell, message: Run): void {
    let hold: Promise<unknown> | undefined
    const stop = promiseHooks.onInit((promise: Promise<unknown>) => {
      if (hold) return
      hold = promise
      this.#held.add(promise)
    }) as () => void
    this.#stopHook = stop
    this.#session.post(
      'Runtime.evaluate',
      { expression: `${message.code}\n//# sourceURL=${message.url}`, objectGroup: `c${cell.n}`, replMode: true },
      (error, response) => {
        if (hold) this.#held.delete(hold)
        if (!cell.done) this.cells.run(cell, () => this.#conclude(cell, error, response as EvaluateResponse | undefined))
      },
    )
    stop()
    this.#stopHook = undefined
  }

  #conclude(cell: Cell, error: Error | null, response: EvaluateResponse | undefined): void {
    // Terminated: the interrupt itself is the next message.
    if (error && (this.#words[INTERRUPT_ASKED] as number) > (this.#words[INTERRUPT_ACK] as number)) return
    let outcome: Outcome
    try {
      if (error || !response) outcome = { status: 'error', error: describeError(error) }
      else if (response.exceptionDetails) outcome = { status: 'error', error: describeError(this.#thrown(response.exceptionDetails), cell) }
      else {
        outcome = { status: 'ok' }
        if (cell.wantResult && response.result.type !== 'undefined') {
          const result = toBundle(this.#value(response.result))
          if (result) outcome.result = result
        }
      }
    } catch (failure) {
      outcome = { status: 'error', error: describeError(failure, cell) }
    }
    lock(this.#words)
    this.#finishLocked(cell, outcome)
    unlock(this.#words)
    this.#session.post('Runtime.releaseObjectGroup', { objectGroup: `c${cell.n}` })
  }

  #thrown(details: ExceptionDetails): unknown {
    return details.exception ? this.#value(details.exception) : new Error(details.text)
  }

  /** The value behind the inspector's description of it. */
  #value(object: RemoteObject): unknown {
    if (object.objectId !== undefined) {
      this.#session.post('Runtime.callFunctionOn', {
        functionDeclaration: 'function(v){this(v)}',
        objectId: this.#taker,
        arguments: [{ objectId: object.objectId }],
        silent: true,
      })
      const value = this.#taken
      this.#taken = undefined
      return value
    }
    if (object.unserializableValue !== undefined) {
      const text = object.unserializableValue
      return text.endsWith('n') ? BigInt(text.slice(0, -1)) : Number(text)
    }
    return object.type === 'undefined' ? undefined : object.value
  }

  #finishLocked(cell: Cell, outcome: Outcome): void {
    if (cell.done) return
    cell.done = true
    if (this.#current === cell) {
      this.#current = undefined
      this.#words[RUNNING] = 0
    }
    this.outbox.frameLocked(jsonFrame({ t: 'done', n: cell.n, outcome } satisfies FromScript))
  }

  /** The execution that whatever runs now belongs to. */
  get cell(): Cell | undefined {
    return this.cells.getStore() ?? this.#current ?? this.#last
  }
}

interface RemoteObject {
  type: string
  value?: unknown
  unserializableValue?: string
  objectId?: string
}

interface ExceptionDetails {
  text: string
  exception?: RemoteObject
}

interface EvaluateResponse {
  result: RemoteObject
  exceptionDetails?: ExceptionDetails
}

export function interruptedError(): { ename: string; evalue: string; traceback: string[] } {
  return { ename: 'Interrupted', evalue: 'execution was interrupted', traceback: ['Interrupted: execution was interrupted'] }
}

export function startScriptThread(cache: string): void {
  const words = new Int32Array(new SharedArrayBuffer(WORDS * 4))
  words[OUT_OPEN] = -1
  const bytes = new Uint8Array(new SharedArrayBuffer(OUTBOX_BYTES))
  const messages = new MessageChannel()
  const sync = new MessageChannel()
  const data: GuardData = { words, outbox: bytes, script: messages.port2, sync: sync.port2 }
  new Worker(new URL('./guard-main.js', import.meta.url), {
    workerData: { ...data, cache },
    transferList: [messages.port2, sync.port2],
    env: {},
  })
  const outbox = new Outbox({ words, outbox: bytes })
  const thread = new ScriptThread(words, outbox)
  installConsole(thread)
  // The kernel decides when this process ends, not a Ctrl-C that reaches the whole process group.
  process.on('SIGINT', () => {})
  messages.port1.on('message', (message: ScriptMessage) => thread.onMessage(message))
}
