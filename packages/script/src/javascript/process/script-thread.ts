import { AsyncLocalStorage } from 'node:async_hooks'
import { Session } from 'node:inspector'
import { isAbsolute } from 'node:path'
import { promiseHooks } from 'node:v8'
import { constants, Script } from 'node:vm'
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import type { MimeBundle, ScriptError } from '../../engine.ts'
import { type FromScript, INTERRUPTED, JSON_FRAME, jsonFrame, type Outcome, type ToScript, textFrame } from '../wire.ts'
import { Cell, Interrupted } from './cell.ts'
import { takerOf } from './comms.ts'
import { rememberGlobals } from './debug-hook.ts'
import { describeError } from './errors.ts'
import { installCatalogue } from './globals.ts'
import { HostCalls } from './host-calls.ts'
import type { Outbox } from './outbox.ts'
import type { ForScript, Run, ScriptMessage } from './script-messages.ts'
import { DISCONNECTED, INTERRUPT_ACK, lock, RUNNING, TAKEN, unlock } from './shared.ts'
import { toBundle } from './show.ts'
import { rememberScript } from './stack-traces.ts'

const DISCONNECT_MS = 200
/** How long the reason why an evaluation was cut off may take to show itself. */
const ENDING_MS = 1000
const { setTimeout: nodeTimeout } = globalThis
const importModuleDynamically = constants.USE_MAIN_CONTEXT_DEFAULT_LOADER

/** The main thread of the engine process. All user code runs here, and as little else as can be. */
export class ScriptThread {
  readonly outbox: Outbox
  /** The execution that the running code belongs to, also in callbacks long after its end. */
  readonly cells: AsyncLocalStorage<Cell> = new AsyncLocalStorage<Cell>()
  readonly #words: Int32Array
  readonly #messages: MessagePort
  readonly #calls: HostCalls
  readonly #session = new Session()
  #current: Cell | undefined
  #last: Cell | undefined
  /** The first promise of each running evaluation: V8 aborts the process when it is collected while the evaluation is pending. */
  readonly #held = new Set<Promise<unknown>>()
  #stopHook: (() => void) | undefined
  readonly #taker: string
  #taken: unknown
  #restoreCwd: (() => void) | undefined

  constructor(words: Int32Array, outbox: Outbox, messages: MessagePort, replies: MessagePort) {
    this.#words = words
    this.outbox = outbox
    this.#messages = messages
    this.#calls = new HostCalls(words, replies, (json) => this.outbox.frame(textFrame(json, JSON_FRAME)))
    this.#session.connect()
    this.#taker = this.#remember('taker', (value: unknown) => {
      this.#taken = value
    })
  }

  /** The execution that whatever runs now belongs to. */
  get cell(): Cell | undefined {
    return this.cells.getStore() ?? this.#current ?? this.#last
  }

  /** Its number for output. */
  get owner(): number {
    return this.cell?.owner ?? 0
  }

  get current(): Cell | undefined {
    return this.#current
  }

  /**
   * Called whenever a script acts.
   *
   * @throws Interrupted when the code is what an interrupt has left over.
   */
  check(): void {
    if (this.cells.getStore()?.cancelled) throw new Interrupted()
  }

  send(message: FromScript): void {
    this.outbox.frame(jsonFrame(message))
  }

  call(name: string, args: readonly unknown[], caller: (...args: never[]) => unknown): Promise<unknown> {
    this.check()
    const cell = this.cell
    if (cell?.drain) this.#messages.ref()
    return this.#calls.call(cell, name, args, caller)
  }

  callSync(name: string, args: readonly unknown[]): unknown {
    this.check()
    return this.#calls.callSync(this.cell, name, args)
  }

  input(prompt: string, password: boolean): string | null {
    this.check()
    return this.#calls.input(this.cell, prompt, password)
  }

  onMessage(message: ScriptMessage): void {
    const { seq, body } = message
    if (seq !== 0 && seq <= (this.#words[TAKEN] as number)) return
    if (typeof body !== 'string') return this.#onGuardMessage(seq, body)
    this.#take(seq)
    this.#onKernelMessage(JSON.parse(body) as ToScript)
  }

  /** From here on the guard does not send the message again: a termination that strikes before this has undone nothing. */
  #take(seq: number): void {
    lock(this.#words)
    this.#takeLocked(seq)
    unlock(this.#words)
  }

  #takeLocked(seq: number): void {
    if (seq !== 0) this.#words[TAKEN] = seq
  }

  /** For the end of the process: Node would wait for the debugger otherwise. */
  disconnect(): void {
    this.#messages.postMessage('disconnect')
    Atomics.wait(this.#words, DISCONNECTED, 0, DISCONNECT_MS)
    this.#session.disconnect()
  }

  /** Nothing is left that could act: a program would end now. */
  onIdle(): void {
    // What came keeps no loop alive, such as the interrupt that has just cut off an endless one.
    for (let next = receiveMessageOnPort(this.#messages); next; next = receiveMessageOnPort(this.#messages)) {
      this.onMessage(next.message as ScriptMessage)
    }
    const cell = this.#current
    if (!cell?.drain) return
    if (!cell.drained) {
      const error: ScriptError = {
        ename: 'UnsettledAwait',
        evalue: 'the script waits for a promise that nothing is left to settle',
        traceback: ['UnsettledAwait: the script waits for a promise that nothing is left to settle'],
      }
      return this.#finish(cell, { status: 'error', error })
    }
    if (process.exitCode !== undefined && Number(process.exitCode) !== 0) process.exit()
    this.#finish(cell, cell.drained)
  }

  /** An exception or rejection that nobody caught. During its execution it is the end of that, later a text on stderr. */
  onUncaught(reason: unknown): void {
    if (reason instanceof Interrupted) return
    const owner = this.cells.getStore()
    const cell = this.#current
    const error = describeError(reason)
    if (cell && !cell.done && (owner === cell || owner === undefined)) {
      cell.cancel()
      this.#calls.cancel(cell)
      this.#finish(cell, { status: 'error', error })
      return
    }
    if (!owner?.cancelled) this.outbox.text((owner ?? cell ?? this.#last)?.owner ?? 0, 'stderr', `Uncaught ${error.traceback.join('\n')}\n`)
  }

  #onKernelMessage(message: ToScript): void {
    if (message.t === 'reply') {
      this.#calls.onReply(message)
      if (this.#calls.size === 0 && this.#current?.drain) this.#messages.unref()
      return
    }
    const run = takerOf(this, message.event)
    this.send({ t: 'commTaken', q: message.q, taken: run !== undefined })
    if (run) this.cells.run(new Cell({ n: message.n, source: 'comm', wantResult: false }), run)
  }

  #onGuardMessage(seq: number, message: Exclude<ForScript, string>): void {
    switch (message.t) {
      case 'run':
        this.#run(seq, message)
        return
      case 'interrupt':
        this.#onInterrupt(seq, message.n)
        return
      case 'init':
        this.#take(seq)
        installCatalogue(this, message.catalogue)
        rememberGlobals()
        this.send({ t: 'ready' })
        return
      case 'poke': // wakes the event loop, nothing else
        return
    }
  }

  #onInterrupt(seq: number, n: number): void {
    // A termination has swallowed what came before, such as the run to be ended: the guard sends it again, and then this.
    if (seq > (this.#words[TAKEN] as number) + 1) return
    this.#stopHook?.()
    this.#stopHook = undefined
    lock(this.#words)
    const cell = this.#current
    if (cell && !cell.done) {
      cell.cancel()
      this.#calls.cancel(cell)
      this.#finishLocked(cell, { status: 'interrupted', error: INTERRUPTED })
    }
    this.#takeLocked(seq)
    Atomics.store(this.#words, INTERRUPT_ACK, n)
    Atomics.notify(this.#words, INTERRUPT_ACK)
    unlock(this.#words)
  }

  #run(seq: number, message: Run): void {
    const cell = new Cell({ ...message, owner: message.as })
    // Together: a run that was taken has a cell that an interrupt can end, whatever a termination cuts off behind this.
    lock(this.#words)
    this.#current = cell
    this.#last = cell
    this.#takeLocked(seq)
    unlock(this.#words)
    rememberScript(message.url, message.source, message.map)
    this.#enter(cell, message.cwd)
    this.cells.run(cell, () => this.#evaluate(cell, message))
  }

  #enter(cell: Cell, cwd: string | undefined): void {
    process.argv = [process.execPath, ...(isAbsolute(cell.source) ? [cell.source] : []), ...cell.args]
    if (cell.drain) this.#messages.unref()
    if (cwd === undefined || cwd === process.cwd()) return
    const before = process.cwd()
    process.chdir(cwd)
    this.#restoreCwd = () => {
      if (process.cwd() === cwd) process.chdir(before)
    }
  }

  #evaluate(cell: Cell, message: Run): void {
    let value: unknown
    try {
      if (message.repl) return this.#evaluateRepl(cell, message)
      value = new Script(message.code + marked(message), { filename: message.url, importModuleDynamically }).runInThisContext({
        displayErrors: false,
      })
    } catch (error) {
      return this.#finish(cell, { status: 'error', error: describeError(error) })
    }
    this.#conclude(cell, value, message)
  }

  #evaluateRepl(cell: Cell, message: Run): void {
    const end = message.mark === undefined ? `\n//# sourceURL=${message.url}` : marked(message)
    if (message.preamble !== undefined) this.#session.post('Runtime.evaluate', { expression: message.preamble + end, replMode: true })
    let hold: Promise<unknown> | undefined
    const stop = promiseHooks.onInit((promise: Promise<unknown>) => {
      if (hold) return
      hold = promise
      this.#held.add(promise)
    }) as () => void
    this.#stopHook = stop
    const params = { expression: message.code + end, objectGroup: 'cell', replMode: true }
    this.#session.post('Runtime.evaluate', params, (error, response) => {
      if (hold) this.#held.delete(hold)
      if (!cell.done) this.cells.run(cell, () => this.#onEvaluated(cell, message, error, response as EvaluateResponse | undefined))
    })
    stop()
    this.#stopHook = undefined
  }

  #onEvaluated(cell: Cell, message: Run, error: Error | null, response: EvaluateResponse | undefined): void {
    if (error || !response) {
      // It was terminated, and the interrupt is the next message; or the process is ending. Neither is an error of the code.
      nodeTimeout(() => this.#finish(cell, { status: 'error', error: describeError(error) }), ENDING_MS).unref()
      return
    }
    const { exceptionDetails: thrown, result } = response
    if (!thrown) return this.#conclude(cell, this.#value(result), message)
    const reason = thrown.exception ? this.#value(thrown.exception) : new Error(thrown.text)
    this.#finish(cell, { status: 'error', error: describeError(reason) })
  }

  #conclude(cell: Cell, value: unknown, message: Run): void {
    if (!cell.wantResult || message.noValue || value === undefined) return this.#succeed(cell, undefined)
    try {
      const shown = toBundle(value)
      if (!(shown instanceof Promise)) return this.#succeed(cell, shown)
      shown.then(
        (bundle) => this.#succeed(cell, bundle),
        (reason: unknown) => this.#finish(cell, { status: 'error', error: describeError(reason) }),
      )
    } catch (error) {
      this.#finish(cell, { status: 'error', error: describeError(error) })
    }
  }

  #succeed(cell: Cell, result: MimeBundle | undefined): void {
    const outcome: Outcome = { status: 'ok', ...(result && { result }) }
    if (cell.drain) cell.drained = outcome
    else this.#finish(cell, outcome)
  }

  #finish(cell: Cell, outcome: Outcome): void {
    const frame = jsonFrame({ t: 'done', n: cell.n, outcome } satisfies FromScript)
    lock(this.#words)
    if (!cell.done) this.#closeLocked(cell, frame)
    unlock(this.#words)
  }

  #finishLocked(cell: Cell, outcome: Outcome): void {
    this.#closeLocked(cell, jsonFrame({ t: 'done', n: cell.n, outcome } satisfies FromScript))
  }

  #closeLocked(cell: Cell, frame: Uint8Array): void {
    cell.finish()
    if (this.#current === cell) {
      this.#current = undefined
      this.#words[RUNNING] = 0
      if (cell.drain) this.#messages.ref()
      this.#restoreCwd?.()
      this.#restoreCwd = undefined
    }
    this.outbox.frameLocked(frame)
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
      this.#session.post('Runtime.releaseObjectGroup', { objectGroup: 'cell' })
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
}

/** Comments for V8, on lines of their own: the name, and the mark for the debugger. */
function marked({ url, mark }: Run): string {
  return mark === undefined ? '' : `\n//# sourceURL=${url}\n//# sourceMappingURL=${mark}`
}

interface RemoteObject {
  type: string
  value?: unknown
  unserializableValue?: string
  objectId?: string
}

interface EvaluateResponse {
  result: RemoteObject
  exceptionDetails?: { text: string; exception?: RemoteObject }
}
