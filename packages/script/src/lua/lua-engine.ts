import { messageOf } from '@llmspell/base'
import type { ModuleDescription } from '../catalogue/catalogue.ts'
import type { CatalogueLookup } from '../catalogue/lookup.ts'
import type {
  CommEvent,
  Completeness,
  Completion,
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
import { OutputPump } from '../host/output-pump.ts'
import { LuaDebugTarget } from './debug/lua-debug-target.ts'
import type { LuaWorker, WorkerEnd } from './lua-worker.ts'
import { type Answers, type AskRequest, type FromWorker, REASON, type RunRequest } from './protocol.ts'
import { runCommand } from './run-command.ts'
import { toWireError } from './wire-error.ts'

/** A soft interrupt can be caught by the script; this long after it comes the one that cannot. */
const HARD_AFTER_MS = 100
/** A C function that does not poll (one long linear operation) may outlive the hard interrupt; then the worker goes. */
const TERMINATE_AFTER_MS = 5_000
/** How often output of running code that has not been sent by itself is fetched. */
const FLUSH_EVERY_MS = 20
/** Code deep in a C function answers no questions: after this time they are answered from the catalogue alone. */
const ASK_TIMEOUT_MS = 1_000

const SHUT_DOWN = 'the engine was shut down'

const UNANSWERED = Symbol('unanswered')

export interface LuaEngineParts {
  host: EngineHost
  options: EngineOptions
  catalogue: readonly ModuleDescription[]
  lookup: CatalogueLookup
}

interface Run {
  id: number
  executionId: string
  /** Made when the run first calls the host: most never do. */
  abort: AbortController | undefined
  settle(value: unknown): void
  fail(end: WorkerEnd): void
  /** The code has stopped. */
  stopped: Promise<void>
  /** The next may run. */
  over: Promise<void>
}

/** The kernel's side of one Lua namespace: a worker, the run in it, and the questions under way. */
export class LuaEngine implements ScriptEngine {
  readonly languages: readonly Language[] = ['lua']
  readonly #parts: LuaEngineParts
  readonly #pump: OutputPump
  readonly #questions = new Map<number, (answer: unknown) => void>()
  readonly #comms = new Set<string>()
  readonly #targets = new Set<string>()
  #state: EngineStatus['state'] = 'starting'
  #worker: LuaWorker | undefined
  #starting: Promise<void> | undefined
  #run: Run | undefined
  #interrupting: Promise<void> | undefined
  #debugTarget: LuaDebugTarget | undefined
  #nextId = 1

  constructor(parts: LuaEngineParts) {
    this.#parts = parts
    this.#pump = new OutputPump(parts.host)
  }

  get status(): EngineStatus {
    const memoryBytes = this.#worker?.usedBytes
    return { state: this.#state, ...(memoryBytes !== undefined && { memoryBytes }) }
  }

  get debugTarget(): LuaDebugTarget {
    if (!this.#debugTarget) {
      this.#debugTarget = new LuaDebugTarget()
      if (this.#worker) this.#debugTarget.connect(this.#worker)
    }
    return this.#debugTarget
  }

  async start(): Promise<void> {
    await this.#startWorker()
  }

  async execute(request: ExecuteRequest): Promise<ExecuteOutcome> {
    return await this.#runInWorker<ExecuteOutcome>(
      { type: 'execute', id: this.#nextId++, request },
      request.executionId,
      (error, interrupted) => ({
        status: interrupted ? 'interrupted' : 'error',
        error,
      }),
    )
  }

  async evaluate(expression: string, _language: Language, executionId: string): Promise<{ data: MimeBundle } | { error: ScriptError }> {
    return await this.#runInWorker<Answers['evaluate']>(
      { type: 'evaluate', id: this.#nextId++, expression, executionId },
      executionId,
      (error) => ({ error }),
    )
  }

  async comm(event: CommEvent): Promise<boolean> {
    const known = event.type === 'open' ? this.#targets.has(event.targetName) : this.#comms.has(event.commId)
    if (!known) return false
    return await this.#runInWorker<boolean>({ type: 'comm', id: this.#nextId++, event }, event.executionId, (error) => {
      this.#parts.host.log('error', 'a comm callback failed', { error: error.evalue, commId: event.commId })
      return true
    })
  }

  async complete(code: string, offset: number, _language: Language): Promise<Completion> {
    return await this.#ask({ type: 'complete', id: this.#nextId++, code, offset }, () => {
      const { owner, prefix } = wordBefore(code, offset)
      const items = this.#parts.lookup.items(owner).filter((item) => item.text.startsWith(prefix))
      return { items, start: offset - prefix.length, end: offset }
    })
  }

  async inspect(code: string, offset: number, detail: 0 | 1, _language: Language): Promise<MimeBundle | undefined> {
    return await this.#ask({ type: 'inspect', id: this.#nextId++, code, offset, detail }, () => {
      const { owner, prefix } = wordBefore(code, offset)
      const name = prefix + (/^\w*/.exec(code.slice(offset))?.[0] ?? '')
      return this.#parts.lookup.inspect(owner === '' ? name : `${owner}.${name}`)
    })
  }

  async isComplete(code: string, _language: Language): Promise<Completeness> {
    return await this.#ask({ type: 'isComplete', id: this.#nextId++, code }, () => ({ status: 'unknown' }))
  }

  async variables(): Promise<{ name: string; type: string; preview: string }[]> {
    return await this.#ask({ type: 'variables', id: this.#nextId++ }, () => [])
  }

  async interrupt(): Promise<void> {
    const run = this.#run
    if (!run) return this.#debugTarget?.cancel()
    this.#interrupting ??= this.#stop(run).finally(() => {
      this.#interrupting = undefined
    })
    await this.#interrupting
  }

  async #stop(run: Run): Promise<void> {
    this.#worker?.interrupt(run.id)
    run.abort?.abort()
    // Again and again: one that comes between two calls into the VM is lost.
    const hard = setInterval(() => this.#worker?.interruptHard(run.id), HARD_AFTER_MS)
    const last = setTimeout(() => {
      void this.#worker?.terminate({
        ename: 'Interrupted',
        evalue: `interrupted; the code did not stop within ${TERMINATE_AFTER_MS / 1000} s, so the engine was replaced`,
      })
    }, TERMINATE_AFTER_MS)
    try {
      await run.stopped
    } finally {
      clearInterval(hard)
      clearTimeout(last)
    }
  }

  async dispose(): Promise<void> {
    this.#state = 'disposed'
    await this.#worker?.terminate({ ename: 'EngineCrashed', evalue: SHUT_DOWN })
  }

  #startWorker(): Promise<void> {
    this.#starting ??= this.#makeWorker().finally(() => {
      this.#starting = undefined
    })
    return this.#starting
  }

  async #makeWorker(): Promise<void> {
    // Lua itself is loaded when the first engine starts: a kernel that speaks another language never needs it.
    const { LuaWorker } = await import('./lua-worker.ts')
    if (this.#state === 'disposed') throw new Error(SHUT_DOWN)
    const { options, catalogue } = this.#parts
    this.#comms.clear()
    this.#targets.clear()
    const worker = new LuaWorker(catalogue, options, {
      message: (message) => this.#receive(worker, message),
      end: (end) => this.#ended(worker, end),
    })
    this.#worker = worker
    this.#debugTarget?.connect(worker)
    await worker.ready
    if (this.#state === 'starting' || this.#state === 'lost') this.#state = 'idle'
  }

  async #runInWorker<T>(request: RunRequest, executionId: string, lost: (error: ScriptError, interrupted: boolean) => T): Promise<T> {
    while (this.#run) await this.#run.over
    const { promise: stopped, resolve: stop } = Promise.withResolvers<void>()
    const { promise: over, resolve: finish } = Promise.withResolvers<void>()
    const { promise, resolve } = Promise.withResolvers<T>()
    const run: Run = {
      id: request.id,
      executionId,
      abort: undefined,
      stopped,
      over,
      settle: (value) => {
        resolve(value as T)
        stop()
      },
      fail: (end) => {
        const error = { ename: end.ename, evalue: end.evalue, traceback: [`${end.ename}: ${end.evalue}`], engineLost: true }
        resolve(lost(error, end.ename === 'Interrupted'))
        stop()
      },
    }
    this.#run = run
    if (this.#state === 'idle') this.#state = 'busy'
    let fetching: ReturnType<typeof setInterval> | undefined
    try {
      if (this.#starting || this.#state === 'lost') await this.#startWorker()
      if (this.#state === 'disposed') throw new Error(SHUT_DOWN)
      this.#state = 'busy'
      this.#worker?.post(request)
      fetching = setInterval(() => this.#worker?.fetchOutput(), FLUSH_EVERY_MS)
      const value = await promise
      await this.#pump.drained()
      return value
    } catch (error) {
      run.fail({ ename: 'EngineCrashed', evalue: messageOf(error) })
      return await promise
    } finally {
      clearInterval(fetching)
      run.abort?.abort()
      this.#run = undefined
      if (this.#state === 'busy') this.#state = 'idle'
      finish()
    }
  }

  async #ask<K extends AskRequest>(request: K, fallback: () => Answers[K['type']]): Promise<Answers[K['type']]> {
    const { promise, resolve } = Promise.withResolvers<Answers[K['type']]>()
    const timer = setTimeout(() => resolve(fallback()), ASK_TIMEOUT_MS)
    this.#questions.set(request.id, (answer) => resolve(answer === UNANSWERED ? fallback() : (answer as Answers[K['type']])))
    try {
      const worker = this.#worker
      if (!worker || this.#state === 'disposed') return fallback()
      worker.post(request)
      worker.raise(REASON.MESSAGE)
      return await promise
    } finally {
      clearTimeout(timer)
      this.#questions.delete(request.id)
    }
  }

  #receive(worker: LuaWorker, message: FromWorker): void {
    switch (message.type) {
      case 'answer': {
        const question = this.#questions.get(message.id)
        if (question) question(message.value)
        else if (this.#run?.id === message.id) this.#run.settle(message.value)
        return
      }
      case 'unanswered':
        this.#questions.get(message.id)?.(UNANSWERED)
        return
      case 'debugAnswer':
      case 'debugNotice':
        this.#debugTarget?.receive(message)
        return
      case 'output':
        this.#pump.push(message.executionId, message.items, () => worker.taken(message.size))
        return
      case 'call':
        this.#serve(message.call, message.executionId, (signal) =>
          this.#parts.host.call({ name: message.name, args: message.args, executionId: message.executionId, signal }),
        )
        return
      case 'input':
        this.#serve(message.call, message.executionId, async (signal) => {
          await this.#pump.drained()
          return await this.#parts.host.input(message.executionId, message.prompt, message.password, signal)
        })
        return
      case 'command':
        this.#serve(message.call, message.executionId, (signal) => runCommand(message, signal))
        return
      case 'comm':
        this.#parts.host.comm(message.event)
        return
      case 'targets':
        replace(this.#comms, message.comms)
        replace(this.#targets, message.targets)
        return
      case 'log':
        this.#parts.host.log(message.level, message.message, message.fields)
        return
      case 'ready':
        return
    }
  }

  #serve(call: number, executionId: string, work: (signal: AbortSignal) => Promise<unknown>): void {
    const worker = this.#worker
    const run = this.#run
    if (run?.executionId !== executionId) {
      worker?.refuse(call, { message: 'the execution has ended' })
      return
    }
    run.abort ??= new AbortController()
    if (this.#interrupting) run.abort.abort()
    const { signal } = run.abort
    const answer = async (): Promise<unknown> => await work(signal)
    void answer().then(
      (value) => worker?.reply(call, value),
      (error: unknown) => worker?.refuse(call, toWireError(error)),
    )
  }

  #ended(worker: LuaWorker, end: WorkerEnd): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    this.#debugTarget?.disconnect(this.#state !== 'disposed')
    if (this.#state !== 'disposed') {
      this.#state = 'lost'
      this.#parts.host.log('warn', 'the Lua engine was lost', { reason: end.evalue })
      // One that ended before it was ready would do so again: the next run tries.
      if (worker.wasReady) this.#startWorker().catch((error: unknown) => this.#parts.host.log('error', messageOf(error)))
    }
    this.#run?.fail(end)
  }
}

/** Enough to look into the catalogue: `State.ge` has the owner `State`. */
function wordBefore(code: string, offset: number): { owner: string; prefix: string } {
  const found = /(?:(\w+)[.:])?(\w*)$/.exec(code.slice(Math.max(0, offset - 200), offset))
  return { owner: found?.[1] ?? '', prefix: found?.[2] ?? '' }
}

function replace(set: Set<string>, values: readonly string[]): void {
  set.clear()
  for (const value of values) set.add(value)
}
