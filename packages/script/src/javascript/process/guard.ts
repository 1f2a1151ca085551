import { Socket } from 'node:net'
import { type MessagePort, workerData } from 'node:worker_threads'
import { codeOf, LlmspellError, messageOf } from '@llmspell/base'
import type { DebugTargetEvent } from '@llmspell/debug'
import type { CatalogueLookup } from '../../catalogue/lookup.ts'
import { Declarations } from '../source/declarations.ts'
import type { prepare as Prepare } from '../source/prepare.ts'
import { RUN_MARK, scriptUrl } from '../source/script-url.ts'
import {
  CONTROL_FD,
  type DebugCommand,
  type Execute,
  FrameReader,
  type FromGuard,
  INTERRUPTED,
  type Init,
  JSON_FRAME,
  jsonFrame,
  type Question,
  SCRIPT_FD,
  SCRIPT_FRAME,
  SYNC_FRAME,
  type ToGuard,
} from '../wire.ts'
import type { ScriptDebugger } from './debug/script-debugger.ts'
import { flushFromGuard } from './outbox.ts'
import { type Descendant, descendantsSince, isRunning, signalDescendant, ticksNow } from './proc.ts'
import { RunRecords } from './run-records.ts'
import { ScriptInspector } from './script-inspector.ts'
import type { ForScript, ScriptMessage } from './script-messages.ts'
import {
  DISCONNECTED,
  type GuardData,
  INTERRUPT_ACK,
  LOCK,
  OUT_END,
  OUT_START,
  OUT_WAITING,
  OUT_WRITTEN,
  PURGE,
  RUNNING,
  type SharedState,
  SYNC_BELL,
  TAKEN,
  tryLock,
  unlock,
  WATCH_CALLS,
} from './shared.ts'

/** Time for the script thread to notice an interrupt by itself before it is terminated: when it is seen running, and otherwise. */
const BUSY_GRACE_MS = 3
const GRACE_MS = 20
const REPEAT_MS = 100
/** Time for child processes of an interrupted execution to end by themselves. */
const CHILD_GRACE_MS = 500
const FLUSH_MS = 20
const LIMIT_CHECK_MS = 100

/**
 * The guard thread: owns the pipe from the kernel, prepares code, hands messages to the script thread, and keeps
 * answering while that thread is busy. It reaches into the script thread only through an inspector session and shared memory.
 */
class Guard {
  readonly #shared: SharedState
  readonly #words: Int32Array
  readonly #script: MessagePort
  readonly #sync: MessagePort
  readonly #control: Socket
  readonly #inspector = new ScriptInspector()
  readonly #names = new Declarations()
  /** Messages that the script thread has not taken yet: a termination can swallow one, then it is posted again. */
  #sent: ScriptMessage[] = []
  #sequence = 0
  #ticking: NodeJS.Timeout | undefined
  #interrupt = 0
  #memoryLimit = Number.POSITIVE_INFINITY
  #checkedAt = 0
  /** When the running execution began. */
  #startedAt = 0
  #catalogue: CatalogueLookup | undefined
  #init: Init | undefined
  #prepare: typeof Prepare | undefined
  readonly #records = new RunRecords()
  /** Loaded when somebody debugs. */
  #loading: Promise<ScriptDebugger> | undefined
  #debugger: ScriptDebugger | undefined
  /** What runs next waits for what a debugger has asked for before: its breakpoints hold from the first line on. */
  #settling = 0
  #settled: Promise<unknown> = Promise.resolve()
  /** What to execute when the parser is there. */
  #waiting: Execute | undefined
  /** The parser is loaded while the script thread still starts. */
  readonly #preparing: Promise<void> = import('../source/prepare.ts').then((module) => {
    this.#prepare = module.prepare
  })

  constructor(data: GuardData) {
    this.#shared = { words: data.words, outbox: data.outbox }
    this.#words = data.words
    this.#script = data.script
    this.#sync = data.sync
    const reader = new FrameReader((kind, payload) => this.#onFrame(kind, payload))
    this.#control = new Socket({ fd: CONTROL_FD, readable: true, writable: true, allowHalfOpen: false })
    this.#control.on('data', (chunk: Buffer) => reader.push(chunk))
    // The kernel is gone, or has let go of this process: nobody is left to run for.
    this.#control.on('close', () => endProcess())
    this.#control.on('error', () => endProcess())
    // Only to make it non-blocking: it is written to by plain system calls under the lock.
    scriptLane = new Socket({ fd: SCRIPT_FD, readable: false, writable: true })
    scriptLane.unref()
    this.#watchOutput()
    this.#script.on('message', () => {
      this.#debugger?.disconnect()
      this.#inspector.disconnect()
      Atomics.store(this.#words, DISCONNECTED, 1)
      Atomics.notify(this.#words, DISCONNECTED)
    })
  }

  #send(message: FromGuard): void {
    this.#control.write(jsonFrame(message))
  }

  #onFrame(kind: number, payload: Buffer): void {
    if (kind === SCRIPT_FRAME) return this.#post(payload.toString())
    if (kind === SYNC_FRAME) {
      this.#sync.postMessage(payload.toString())
      Atomics.add(this.#words, SYNC_BELL, 1)
      Atomics.notify(this.#words, SYNC_BELL)
      return
    }
    if (kind !== JSON_FRAME) return
    this.#onMessage(JSON.parse(payload.toString()) as ToGuard)
  }

  #onMessage(message: ToGuard): void {
    switch (message.t) {
      case 'execute':
        return this.#execute(message)
      case 'interrupt':
        void this.#stop(message.n)
        return
      case 'init':
        return this.#onInit(message)
      case 'debug':
        void this.#debug(message)
        return
      default:
        void this.#answer(message)
    }
  }

  #onInit(message: Init): void {
    this.#init = message
    this.#memoryLimit = message.memoryLimit
    this.#post({ t: 'init', catalogue: message.catalogue })
  }

  #execute(message: Execute): void {
    const prepare = this.#prepare
    if (!prepare || this.#settling > 0) {
      this.#waiting = message
      void Promise.all([this.#preparing, this.#settled]).then(() => {
        if (this.#waiting === message) this.#execute(message)
      })
      return
    }
    this.#waiting = undefined
    const { n, source, wantResult, cwd, args, drain, as } = message
    const prepared = prepare(message.code, message.language, source, this.#names)
    if ('error' in prepared) return this.#send({ t: 'done', n, outcome: { status: 'error', error: prepared.error } })
    const { edits: _, script: __, wrapped: ___, ...run } = prepared
    // A name of its own: breakpoints by the path of a file are for those that are imported.
    const url = this.#debugger?.attached ? `run${n}:${scriptUrl(source)}` : scriptUrl(source)
    this.#records.add(message, url, prepared)
    // Set here and not where it starts: the watch over its output must not end before.
    Atomics.store(this.#words, RUNNING, n)
    this.#startedAt = performance.now()
    this.#post({
      t: 'run',
      n,
      ...run,
      url,
      source,
      wantResult,
      ...(cwd !== undefined && { cwd }),
      ...(args && { args }),
      ...(drain && { drain }),
      ...(as !== undefined && { as }),
      ...(this.#debugger?.attached && { mark: `${RUN_MARK}${n}`, ...(this.#debugger.wantsEvaluation && { repl: true }) }),
    })
    this.#tick()
  }

  async #debug({ q, command, args }: DebugCommand): Promise<void> {
    let work: Promise<unknown>
    if (SETTINGS.has(command)) {
      this.#settling++
      work = this.#settled.then(() => this.#command(command, args))
      this.#settled = work.then(
        () => this.#settling--,
        () => this.#settling--,
      )
    } else work = this.#command(command, args)
    try {
      this.#send({ t: 'answer', q, value: await work })
    } catch (error) {
      const hint = LlmspellError.is(error) ? error.hint : undefined
      const code = codeOf(error) ?? 'debug.failed'
      this.#send({ t: 'answer', q, error: messageOf(error), code, ...(hint !== undefined && { hint }) })
    }
  }

  async #command(command: DebugCommand['command'], args: readonly unknown[]): Promise<unknown> {
    this.#loading ??= import('./debug/script-debugger.ts').then(({ ScriptDebugger }) => {
      this.#debugger = new ScriptDebugger({
        names: this.#names,
        records: this.#records,
        send: (event, afterOutput) => this.#sendEvent(event, afterOutput === true),
        watchCalls: (watch) => Atomics.store(this.#words, WATCH_CALLS, watch ? 1 : 0),
      })
      return this.#debugger
    })
    const scriptDebugger = (await this.#loading) as unknown as Record<string, (...args: readonly unknown[]) => Promise<unknown>>
    // JSON has no undefined.
    return await scriptDebugger[command]?.(...args.map((one) => one ?? undefined))
  }

  #sendEvent(event: DebugTargetEvent, afterOutput: boolean): void {
    if (!afterOutput) return this.#send({ t: 'debug', event })
    // What does not go out now, because the kernel is slow, follows; what it had to say first is counted.
    flushFromGuard(this.#shared)
    const waiting = Atomics.load(this.#words, OUT_END) - Atomics.load(this.#words, OUT_START)
    this.#send({ t: 'debug', event, written: (Atomics.load(this.#words, OUT_WRITTEN) + waiting) | 0 })
    if (waiting > 0) this.#tick()
  }

  async #answer(question: Question): Promise<void> {
    const { q } = question
    try {
      this.#send({ t: 'answer', q, value: await this.#look(question) })
    } catch (error) {
      this.#send({ t: 'answer', q, error: String(error) })
    }
  }

  async #look(question: Question): Promise<unknown> {
    if (question.t === 'isComplete') return (await import('../source/is-complete.ts')).isComplete(question.code, question.language)
    const { complete, inspectAt, variables } = await import('./completion.ts')
    if (question.t === 'variables') return await variables(this.#inspector, this.#names.variable)
    const { code, offset } = question
    this.#catalogue ??= await this.#loadCatalogue()
    const lookup = this.#catalogue
    if (question.t === 'complete') return await complete(code, offset, this.#inspector, lookup)
    return await inspectAt(code, offset, question.detail, this.#inspector, lookup)
  }

  async #loadCatalogue(): Promise<CatalogueLookup> {
    const [{ builtinModules }, { catalogueLookup }] = await Promise.all([
      import('../../catalogue/builtins.ts'),
      import('../../catalogue/lookup.ts'),
    ])
    return catalogueLookup([...builtinModules, ...(this.#init?.catalogue ?? [])], 'javascript')
  }

  #post(body: ForScript): void {
    if (this.#sent.length > 0) this.#forget()
    const message: ScriptMessage = { seq: ++this.#sequence, body }
    this.#sent.push(message)
    this.#script.postMessage(message)
  }

  #forget(): void {
    const taken = Atomics.load(this.#words, TAKEN)
    let index = 0
    while (index < this.#sent.length && (this.#sent[index] as ScriptMessage).seq <= taken) index++
    if (index > 0) this.#sent.splice(0, index)
  }

  /** The ladder: a message, then terminations. When these do not help within the kernel's patience, it replaces the process. */
  async #stop(n: number): Promise<void> {
    if (n <= this.#interrupt) return
    this.#interrupt = n
    if (this.#waiting) {
      this.#send({ t: 'done', n: this.#waiting.n, outcome: { status: 'interrupted', error: INTERRUPTED } })
      this.#waiting = undefined
    }
    const children = this.#childrenOfRunning()
    this.#debugger?.unwind()
    this.#post({ t: 'interrupt', n })
    const soft = (await this.#acknowledged(n, BUSY_GRACE_MS)) || (!isRunning(process.pid) && (await this.#acknowledged(n, GRACE_MS)))
    this.#endChildren(children)
    if (soft) return this.#interrupted(n, false)
    for (let attempt = 0; this.#interrupt === n && !this.#isAcknowledged(n); attempt++) {
      if (attempt > 0) Atomics.store(this.#words, PURGE, 1)
      await this.#terminate(n)
      await this.#acknowledged(n, REPEAT_MS)
    }
    Atomics.store(this.#words, PURGE, 0)
    if (this.#interrupt === n) this.#interrupted(n, true)
  }

  #interrupted(n: number, hard: boolean): void {
    this.#debugger?.wound()
    this.#send({ t: 'interrupted', n, hard })
  }

  /** What the running execution has started: it waits for that, or leaves it behind. */
  #childrenOfRunning(): Descendant[] {
    return Atomics.load(this.#words, RUNNING) === 0
      ? []
      : descendantsSince(ticksNow() - Math.ceil((performance.now() - this.#startedAt) / 10) - 1)
  }

  #endChildren(children: readonly Descendant[]): void {
    for (const child of children) signalDescendant(child, 'SIGTERM')
    if (children.length === 0) return
    setTimeout(() => {
      for (const child of children) signalDescendant(child, 'SIGKILL')
    }, CHILD_GRACE_MS)
  }

  #isAcknowledged(n: number): boolean {
    return Atomics.load(this.#words, INTERRUPT_ACK) >= n
  }

  async #acknowledged(n: number, ms: number): Promise<boolean> {
    const until = performance.now() + ms
    for (;;) {
      const value = Atomics.load(this.#words, INTERRUPT_ACK)
      if (value >= n) return true
      const left = until - performance.now()
      if (left <= 0) return false
      const wait = Atomics.waitAsync(this.#words, INTERRUPT_ACK, value, left)
      if (wait.async) await wait.value
    }
  }

  /** One termination. Holds the lock from before it is asked for until it has struck, so that engine code is never its victim. */
  async #terminate(n: number): Promise<void> {
    while (!tryLock(this.#words)) {
      const wait = Atomics.waitAsync(this.#words, LOCK, 1, 5)
      if (wait.async) await wait.value
      if (this.#isAcknowledged(n)) return
    }
    try {
      if (this.#isAcknowledged(n)) return
      let struck = false
      const termination = this.#inspector.terminate().then(() => {
        struck = true
      })
      // On a thread that has just become idle it strikes with the next JavaScript: give it some.
      const poke = setInterval(() => {
        if (!struck) this.#script.postMessage({ seq: 0, body: { t: 'poke' } } satisfies ScriptMessage)
      }, 10)
      await termination
      clearInterval(poke)
    } finally {
      unlock(this.#words)
    }
    this.#forget()
    for (const message of this.#sent) this.#script.postMessage(message)
  }

  /** While code runs: output of a busy script goes out, memory is watched. */
  #tick(): void {
    this.#ticking ??= setInterval(() => {
      if (Atomics.load(this.#words, OUT_WAITING) !== 0) flushFromGuard(this.#shared)
      else if (Atomics.load(this.#words, RUNNING) === 0) {
        clearInterval(this.#ticking)
        this.#ticking = undefined
        return
      }
      this.#checkMemory()
    }, FLUSH_MS)
  }

  #checkMemory(): void {
    const now = performance.now()
    if (now - this.#checkedAt < LIMIT_CHECK_MS) return
    this.#checkedAt = now
    const bytes = process.memoryUsage.rss()
    if (bytes <= this.#memoryLimit) return
    this.#memoryLimit = Number.POSITIVE_INFINITY
    this.#control.write(jsonFrame({ t: 'limit', bytes } satisfies FromGuard), () => endProcess())
  }

  /** Output of callbacks after their execution. */
  #watchOutput(): void {
    const wait = Atomics.waitAsync(this.#words, OUT_WAITING, 0)
    const again = (): void => {
      this.#tick()
      setTimeout(() => this.#watchOutput(), FLUSH_MS)
    }
    if (wait.async) void wait.value.then(again)
    else again()
  }
}

/** What a debugger wants to hold before more code runs. */
const SETTINGS: ReadonlySet<DebugCommand['command']> = new Set([
  'attach',
  'detach',
  'setBreakpoints',
  'setFunctionBreakpoints',
  'setExceptionFilters',
])

/** Keeps the handle alive. */
let scriptLane: Socket

/** At once, also when the script thread is busy, with everything it has started. */
function endProcess(): void {
  if (process.platform !== 'win32') {
    try {
      process.kill(-process.pid, 'SIGKILL')
    } catch {
      // Not the leader of a group.
    }
  }
  process.kill(process.pid, 'SIGKILL')
}

new Guard(workerData as GuardData)
