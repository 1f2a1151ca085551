import { codeOf, type Deferred, deferred, LlmspellError, messageOf, withTimeout } from '@llmspell/base'
import { describeCatalogue, type ModuleDescription } from '../catalogue/catalogue.ts'
import type {
  CommEvent,
  Completeness,
  Completion,
  EngineFactory,
  EngineHost,
  EngineOptions,
  EngineStatus,
  ExecuteOutcome,
  ExecuteRequest,
  Language,
  MimeBundle,
  ScriptEngine,
  ScriptError,
} from '../engine.ts'
import { JavascriptDebugTarget } from './debug/javascript-debug-target.ts'
import { EngineProcess, type ProcessEnd } from './engine-process.ts'
import {
  type CommWire,
  type FromGuard,
  type FromScript,
  type HostError,
  type HostReply,
  INTERRUPTED,
  type Outcome,
  type Question,
} from './wire.ts'

const MIB = 1024 * 1024
export const DEFAULT_MEMORY_LIMIT: number = 1024 * MIB
/** What the process needs beside the script's memory. */
const PROCESS_OVERHEAD = 192 * MIB
const START_TIMEOUT_MS = 30_000
/** The language as amaro knows it: of what a TypeScript of this version compiles, it strips the types. */
const TYPESCRIPT_VERSION = '5.9'
/** So many executions back, late output still finds its own. */
const IDS_MAX = 10_000
/** After this an interrupt replaces the process. */
const INTERRUPT_PATIENCE_MS = 5_000

export interface JavascriptEngineSettings {
  /** Script globals; their functions are run by `EngineHost.call`. */
  catalogue?: readonly ModuleDescription[]
  /** Directory for compiled code of the engine itself; makes later starts faster. */
  compileCache?: string
}

/** JavaScript and TypeScript in a process of their own. */
export function javascriptEngineFactory(settings: JavascriptEngineSettings = {}): EngineFactory {
  const languages: readonly Language[] = ['javascript', 'typescript']
  return {
    languages,
    versions: { javascript: process.versions.node, typescript: TYPESCRIPT_VERSION },
    create: (host, options) => new JavascriptEngine(languages, host, options, settings),
  }
}

/** An execution as the kernel's side sees it. */
interface Execution {
  readonly n: number
  readonly id: string
  readonly abort: AbortController
  readonly outcome: Deferred<ExecuteOutcome>
  /** The process knows of it. */
  sent: boolean
}

class JavascriptEngine implements ScriptEngine {
  readonly languages: readonly Language[]
  readonly #host: EngineHost
  readonly #options: EngineOptions
  readonly #settings: JavascriptEngineSettings
  #state: EngineStatus['state'] = 'starting'
  #process: EngineProcess | undefined
  #running: Execution | undefined
  #last: { n: number; id: string } | undefined
  /** Ids by number, for late output. */
  readonly #ids = new Map<number, string>()
  #number = 0
  #interrupts = 0
  #interrupting: Deferred<void> | undefined
  #questions = new Map<number, Deferred<unknown>>()
  #question = 0
  #debugTarget: JavascriptDebugTarget | undefined
  /** Aborted when the process ends. */
  #life = new AbortController()

  constructor(languages: readonly Language[], host: EngineHost, options: EngineOptions, settings: JavascriptEngineSettings) {
    this.languages = languages
    this.#host = host
    this.#options = options
    this.#settings = settings
  }

  get status(): EngineStatus {
    const pid = this.#process?.pid
    return { state: this.#state, ...(pid !== undefined && { pid }) }
  }

  get debugTarget(): JavascriptDebugTarget {
    this.#debugTarget ??= new JavascriptDebugTarget(async (command, args) => {
      const process = this.#process
      if (!process || process.ended || this.#disposed) return undefined
      const { q, answer } = this.#newQuestion()
      process.toGuard({ t: 'debug', q, command, args })
      return { value: await answer }
    })
    return this.#debugTarget
  }

  async start(): Promise<void> {
    await this.#ensureProcess()
    if (this.#state === 'starting') this.#state = 'idle'
  }

  async execute(request: ExecuteRequest): Promise<ExecuteOutcome> {
    const execution = this.#begin(request.executionId)
    if (this.#process?.isReady) this.#send(execution, request, this.#process)
    else await this.#sendWhenReady(execution, request)
    return await execution.outcome.promise
  }

  #send(execution: Execution, request: ExecuteRequest, process: EngineProcess): void {
    // Interrupted before it could start.
    if (execution.outcome.settled) return
    const { executionId: _, ...rest } = request
    execution.sent = true
    process.toGuard({ t: 'execute', n: execution.n, ...rest })
  }

  async #sendWhenReady(execution: Execution, request: ExecuteRequest): Promise<void> {
    try {
      this.#send(execution, request, await this.#ensureProcess())
    } catch (error) {
      this.#conclude(execution, { status: 'error', error: crashed(messageOf(error)) })
    }
  }

  async evaluate(expression: string, language: Language, executionId: string): Promise<{ data: MimeBundle } | { error: ScriptError }> {
    const outcome = await this.execute({ executionId, code: expression, language, source: 'expression', wantResult: true })
    if (outcome.error) return { error: outcome.error }
    return { data: outcome.result ?? { 'text/plain': 'undefined' } }
  }

  async complete(code: string, offset: number, language: Language): Promise<Completion> {
    return (
      ((await this.#ask({ t: 'complete', q: 0, code, offset, language })) as Completion | undefined) ?? {
        items: [],
        start: offset,
        end: offset,
      }
    )
  }

  async inspect(code: string, offset: number, detail: 0 | 1, language: Language): Promise<MimeBundle | undefined> {
    return (await this.#ask({ t: 'inspect', q: 0, code, offset, detail, language })) as MimeBundle | undefined
  }

  async isComplete(code: string, language: Language): Promise<Completeness> {
    return ((await this.#ask({ t: 'isComplete', q: 0, code, language })) as Completeness | undefined) ?? { status: 'unknown' }
  }

  async comm(event: CommEvent): Promise<boolean> {
    const process = this.#process
    if (!process || process.ended) return false
    const n = ++this.#number
    this.#remember(n, event.executionId)
    const { q, answer } = this.#newQuestion()
    process.toScript({ t: 'comm', q, n, event: toWire(event) })
    return (await answer) === true
  }

  async variables(): Promise<{ name: string; type: string; preview: string }[]> {
    return ((await this.#ask({ t: 'variables', q: 0 })) as { name: string; type: string; preview: string }[] | undefined) ?? []
  }

  async interrupt(): Promise<void> {
    if (this.#interrupting) return await this.#interrupting.promise
    const process = this.#process
    const running = this.#running
    if (running && !running.sent) {
      this.#conclude(running, { status: 'interrupted', error: INTERRUPTED })
      return
    }
    if (!process?.isReady) return
    const interrupting = deferred()
    this.#interrupting = interrupting
    const n = ++this.#interrupts
    running?.abort.abort(new Error('interrupted'))
    process.toGuard({ t: 'interrupt', n })
    const patience = setTimeout(() => process.kill(), INTERRUPT_PATIENCE_MS)
    await interrupting.promise
    clearTimeout(patience)
    if (running) this.#expectOutcome(process, running)
  }

  /** The script has stopped; its outcome is behind its output. */
  #expectOutcome(process: EngineProcess, running: Execution): void {
    const timer = setTimeout(() => {
      if (process.stalled) this.#expectOutcome(process, running)
      else process.kill()
    }, INTERRUPT_PATIENCE_MS)
    void running.outcome.promise.then(() => clearTimeout(timer))
  }

  async dispose(): Promise<void> {
    if (this.#state === 'disposed') return
    this.#state = 'disposed'
    const process = this.#process
    process?.kill()
    await process?.gone()
  }

  get #disposed(): boolean {
    return this.#state === 'disposed'
  }

  #begin(id: string): Execution {
    const execution: Execution = { n: ++this.#number, id, abort: new AbortController(), outcome: deferred<ExecuteOutcome>(), sent: false }
    this.#remember(execution.n, id)
    this.#running = execution
    this.#last = execution
    if (this.#state === 'idle') this.#state = 'busy'
    return execution
  }

  #remember(n: number, id: string): void {
    this.#ids.set(n, id)
    if (this.#ids.size > IDS_MAX) this.#ids.delete(this.#ids.keys().next().value as number)
  }

  #conclude(execution: Execution, outcome: ExecuteOutcome): void {
    if (execution.outcome.settled) return
    if (this.#running === execution) this.#running = undefined
    if (this.#state === 'busy') this.#state = 'idle'
    execution.outcome.resolve(outcome)
  }

  async #ensureProcess(): Promise<EngineProcess> {
    if (!this.#process || this.#process.ended) {
      this.#process = this.#spawn()
      // Before any code: its breakpoints hold from the first line on.
      this.#debugTarget?.onProcess()
    }
    const process = this.#process
    await withTimeout(process.ready, START_TIMEOUT_MS, 'the JavaScript engine process')
    return process
  }

  #spawn(): EngineProcess {
    const memoryLimit = this.#options.memoryLimit ?? DEFAULT_MEMORY_LIMIT
    const { compileCache } = this.#settings
    const child: EngineProcess = new EngineProcess(
      { cwd: this.#options.cwd, env: this.#options.env, memoryLimit, ...(compileCache !== undefined && { compileCache }) },
      {
        fromScript: (message) => this.#onScript(message),
        fromGuard: (message) => this.#onGuard(message),
        text: (n, name, text) => this.#host.output({ type: 'stream', executionId: this.#idOf(n), name, text }),
        raw: (name, text) => this.#host.output({ type: 'stream', executionId: (this.#running ?? this.#last)?.id ?? '', name, text }),
        end: (end) => this.#onEnd(child, end),
      },
    )
    child.toGuard({ t: 'init', catalogue: describeCatalogue(this.#settings.catalogue ?? []), memoryLimit: memoryLimit + PROCESS_OVERHEAD })
    return child
  }

  #idOf(n: number): string {
    return this.#ids.get(n) ?? this.#last?.id ?? ''
  }

  #onScript(message: FromScript): void | Promise<void> {
    switch (message.t) {
      case 'done':
        return this.#afterRawOutput(() => void this.#afterDebugger(() => this.#onDone(message.n, message.outcome)))
      case 'call':
        return this.#onCall(message)
      case 'input':
        return this.#onInput(message)
      case 'display': {
        const { t: type, n, ...display } = message
        return this.#host.output({ type, executionId: this.#idOf(n), ...display })
      }
      case 'clear':
        return this.#host.output({ type: 'clear', executionId: this.#idOf(message.n), wait: message.wait })
      case 'comm':
        return this.#host.comm(fromWire(this.#idOf(message.n), message.event))
      case 'commTaken':
        return this.#answered(message.q, message.taken)
      case 'log':
        return this.#host.log(message.level, message.message, message.fields)
      case 'ready':
      case 'exit':
      case 'childEnded': // the process itself is told of these
        return
    }
  }

  #onCall({ n, id, name, args, sync }: Extract<FromScript, { t: 'call' }>): void {
    const signal = this.#signalOf(n)
    // A host may throw before it has made a promise.
    const call = async (): Promise<unknown> => await this.#host.call({ name, args, executionId: this.#idOf(n), signal })
    this.#reply(id, sync === true, signal, call())
  }

  #onInput({ n, id, prompt, password }: Extract<FromScript, { t: 'input' }>): void {
    const signal = this.#signalOf(n)
    this.#reply(id, true, signal, this.#host.input(this.#idOf(n), prompt, password, signal))
  }

  /** Nothing comes back once the call is aborted: what asked is being stopped, and must not see an error to catch instead. */
  #reply(id: number, sync: boolean, signal: AbortSignal, answer: Promise<unknown>): void {
    const process = this.#process
    const send = (reply: HostReply): void => {
      if (!process || process.ended || signal.aborted) return
      if (sync) process.toBlockedScript(reply)
      else process.toScript(reply)
    }
    answer.then(
      (value) => send({ t: 'reply', id, value }),
      (error: unknown) => send({ t: 'reply', id, error: toWireError(error) }),
    )
  }

  /** Aborted with its execution; what earlier executions left running is aborted with the engine. */
  #signalOf(n: number): AbortSignal {
    return this.#running?.n === n ? this.#running.abort.signal : this.#life.signal
  }

  #onDone(n: number, outcome: Outcome): void {
    const execution = this.#running
    if (execution?.n !== n) return
    if (!isOutcome(outcome)) throw new TypeError('an outcome without a status')
    this.#conclude(execution, outcome)
  }

  /** Output of child processes comes through pipes of its own: what was written before now is read after one more turn of the loop. */
  #afterRawOutput(then: () => void): void {
    setImmediate(() => setImmediate(then))
  }

  /** What breakpoints have printed comes before the end of the execution. */
  async #afterDebugger(then: () => void): Promise<void> {
    if (this.#debugTarget?.attached) await this.#debugTarget.settle()
    then()
  }

  #onGuard(message: FromGuard): void {
    switch (message.t) {
      case 'answer': {
        if (message.error === undefined) return this.#answered(message.q, message.value)
        if (message.code !== undefined) return this.#refused(message.q, message.error, message.code, message.hint)
        this.#host.log('warn', `the engine could not answer: ${message.error}`)
        return this.#answered(message.q, undefined)
      }
      case 'interrupted':
        if (message.n === this.#interrupts) this.#interrupted()
        return
      case 'done':
        return this.#onDone(message.n, message.outcome)
      case 'debug': {
        const { event, written } = message
        if (written === undefined) this.#debugTarget?.onTargetEvent(event)
        else {
          const { promise, resolve } = deferred()
          this.#process?.afterOutput(written, resolve)
          this.#debugTarget?.onTargetEvent(event, promise)
        }
        return
      }
      case 'log':
        return this.#host.log(message.level, message.message)
      case 'limit': // read when the process ends: it names what ran out
        return
    }
  }

  #answered(q: number, value: unknown): void {
    const question = this.#questions.get(q)
    this.#questions.delete(q)
    question?.resolve(value)
  }

  #refused(q: number, message: string, code: string, hint: string | undefined): void {
    const question = this.#questions.get(q)
    this.#questions.delete(q)
    question?.reject(new LlmspellError(message, { code, ...(hint !== undefined && { hint }) }))
  }

  #interrupted(): void {
    const interrupting = this.#interrupting
    this.#interrupting = undefined
    interrupting?.resolve()
  }

  #onEnd(process: EngineProcess, end: ProcessEnd): void {
    if (this.#process !== process) return
    this.#process = undefined
    this.#life.abort(new Error('the engine has ended'))
    this.#life = new AbortController()
    for (const question of this.#questions.values()) question.resolve(undefined)
    this.#questions.clear()
    this.#debugTarget?.onLost()
    const execution = this.#running
    execution?.abort.abort(new Error('the engine has ended'))
    if (execution) this.#conclude(execution, this.#epitaph(end))
    this.#interrupted()
    // One that has never been ready would not be now either: the next cell tries again and tells why.
    if (this.#disposed || !end.wasReady) return
    void this.#ensureProcess().catch((error: unknown) => {
      if (!this.#disposed) this.#host.log('error', messageOf(error))
    })
  }

  #epitaph(end: ProcessEnd): ExecuteOutcome {
    if (end.kind === 'killed')
      return {
        status: 'interrupted',
        error: { ...failure('Interrupted', 'the code could not be stopped, so its engine was replaced'), engineLost: true },
      }
    if (end.kind === 'exit') {
      const code = end.code ?? 0
      return {
        status: code === 0 ? 'ok' : 'error',
        exit: { code },
        ...(code !== 0 && { error: { ...failure('Exit', `the script ended with exit code ${code}`), engineLost: true } }),
      }
    }
    if (end.kind === 'not-started') return { status: 'error', error: crashed(`the engine process did not start: ${end.report}`) }
    if (end.kind === 'cut-off')
      return { status: 'error', error: crashed(`${end.report} (did the script close or write to a file it did not open?)`) }
    if (end.kind === 'out-of-memory') {
      const limit = Math.round((this.#options.memoryLimit ?? DEFAULT_MEMORY_LIMIT) / MIB)
      return {
        status: 'error',
        error: { ...failure('OutOfMemory', `the script needed more than its memory limit of ${limit} MiB`), engineLost: true },
      }
    }
    return { status: 'error', error: crashed(`the engine process was ended by ${end.signal ?? `exit code ${end.code}`}`) }
  }

  async #ask(question: Question): Promise<unknown> {
    const process = this.#process
    if (!process || process.ended) return undefined
    const { q, answer } = this.#newQuestion()
    process.toGuard({ ...question, q })
    return await answer
  }

  #newQuestion(): { q: number; answer: Promise<unknown> } {
    const answer = deferred<unknown>()
    const q = ++this.#question
    this.#questions.set(q, answer)
    return { q, answer: answer.promise }
  }
}

function isOutcome(outcome: unknown): boolean {
  if (typeof outcome !== 'object' || outcome === null) return false
  const { status, error } = outcome as Partial<Outcome>
  return status === 'ok' || ((status === 'error' || status === 'interrupted') && Array.isArray(error?.traceback))
}

function failure(ename: string, evalue: string): ScriptError {
  return { ename, evalue, traceback: [`${ename}: ${evalue}`] }
}

function crashed(reason: string): ScriptError {
  return { ...failure('EngineCrashed', `${reason}; variables are lost, State is not`), engineLost: true }
}

function toWireError(error: unknown): HostError {
  const wire: HostError = { name: error instanceof Error ? error.name : 'Error', message: messageOf(error) }
  const code = codeOf(error)
  if (code !== undefined) wire.code = code
  if (LlmspellError.is(error)) {
    wire.data = error.data
    if (error.hint !== undefined) wire.hint = error.hint
  }
  return wire
}

function toWire(event: CommEvent): CommWire {
  const { executionId: _, buffers, ...rest } = event
  return { ...rest, buffers: buffers.map((one) => Buffer.from(one.buffer, one.byteOffset, one.byteLength).toString('base64')) }
}

function fromWire(executionId: string, event: CommWire): CommEvent {
  const { type, commId, data, metadata } = event
  const common = { executionId, commId, data, metadata, buffers: event.buffers.map((one) => new Uint8Array(Buffer.from(one, 'base64'))) }
  return type === 'open' ? { type, ...common, targetName: event.targetName ?? '' } : { type, ...common }
}
