import { type Clock, LlmspellError, type Logger, messageOf } from '@llmspell/base'
import { type CellNaming, cellSource } from '@llmspell/debug/cells'
import type { ContentOf, KernelStatusReply } from '@llmspell/jupyter'
import type { ExecuteOutcome, ExecuteRequest, Language, MimeBundle } from '@llmspell/script'
import { parseCell, parseDraft } from '../cell-magic.ts'
import type { Debugging } from '../debugging/debugging.ts'
import { type DocumentationQuery, parseDocumentationQuery } from '../documentation-query.ts'
import { errorToScriptError, scriptErrorToContent } from '../error-to-reply.ts'
import { requestedLanguage } from '../languages.ts'
import type { Envelope } from '../routing/envelope.ts'
import { ConcurrentRuns } from './concurrent-runs.ts'
import type { EnginePool, EngineSlot } from './engine-pool.ts'
import { Execution, executeExtension, type Launch } from './execution.ts'
import type { HistoryRecorder } from './history-recorder.ts'
import type { Origin, Origins } from './origins.ts'
import { ExecutionQueue } from './queue.ts'
import type { ScriptOutput } from './script-output.ts'

export interface ExecutorOptions {
  pool: EnginePool
  origins: Origins
  output: ScriptOutput
  history: HistoryRecorder
  defaultLanguage: Language
  /** Fresh runs at once. */
  freshConcurrency: number
  /** Consoles are told to leave the kernel running when they exit. */
  keepKernelOnExit: boolean
  /** How debuggers call cells. */
  cells: CellNaming
  debugging: Debugging
  /** An engine lost its namespace and made itself anew. */
  onEngineRenewed(slot: EngineSlot): void
  clock: Clock
  logger: Logger
  /** Log what goes to engines and what comes of it (`LLMSPELL_TRACE=engine`). */
  trace: boolean
}

/**
 * Milliseconds between a failure and its reply. What the same client had already sent by then stood behind the failure and is
 * aborted with it, although it was still on its way; what it sends in answer to the reply runs.
 */
const FAILURE_SETTLES = 5

/** More executions than this at once are a flood, and refused. */
const MOST_WAITING = 100_000

/** Typed alone in a console, these leave it. */
const LEAVE = /^\s*(?:exit|quit)(?:\(\))?\s*;?\s*$/

/** Runs execute_requests: one after the other in the shared namespace, side by side in fresh ones. */
export class Executor {
  readonly #options: ExecutorOptions
  readonly #queue: ExecutionQueue
  readonly #fresh: ConcurrentRuns
  readonly #byId = new Map<string, Execution>()
  /** execution_count of the last stored execution. */
  #count = 0
  #callbacksStop: Promise<unknown> | undefined
  #whenQuiet: PromiseWithResolvers<void> | undefined
  readonly counters: { executions: number; errors: number; interrupts: number; aborted: number; engines_lost: number } = {
    executions: 0,
    errors: 0,
    interrupts: 0,
    aborted: 0,
    engines_lost: 0,
  }

  constructor(options: ExecutorOptions) {
    this.#options = options
    this.#queue = new ExecutionQueue({
      run: (execution) => this.#run(execution),
      isHeld: ({ slot }) => slot !== undefined && options.debugging.isStopped(slot),
      engineOf: ({ slot, request, language }) => slot?.factory ?? options.pool.findFactory(parseDraft(request.code, language).language),
    })
    this.#fresh = new ConcurrentRuns((execution) => this.#run(execution), options.freshConcurrency)
  }

  /** True while anything runs or waits. */
  get busy(): boolean {
    return this.#byId.size > 0
  }

  submit(request: ContentOf<'execute_request'>, envelope: Envelope): void {
    const { metadata, header } = envelope.message
    if (this.#byId.size >= MOST_WAITING)
      throw new LlmspellError(`${MOST_WAITING} executions wait already`, { code: 'kernel.queue_full', hint: 'Wait for some to end.' })
    const extension = executeExtension(metadata)
    const language = requestedLanguage(metadata, this.#options.defaultLanguage)
    const execution = new Execution(this.#uniqueId(header.msg_id), request, envelope, extension, language)
    this.#byId.set(execution.id, execution)
    if (execution.fresh) this.#fresh.push(execution)
    else this.#queue.push(execution)
  }

  /** Runs a program in a fresh namespace for a debugger, under the same rules as one that a client asked for. */
  launch(envelope: Envelope, language: Language, launch: Launch): Execution {
    const { header, content, metadata } = envelope.message
    const request = content as ContentOf<'execute_request'> & Record<string, unknown>
    const execution = new Execution(header.msg_id, request, envelope, executeExtension(metadata), language, launch)
    this.#byId.set(execution.id, execution)
    this.#fresh.push(execution)
    return execution
  }

  /** A debugger holds a script: who waited for it may go past. */
  held(): void {
    this.#queue.advance()
  }

  /** What runs in an engine now. */
  runningIn(slot: EngineSlot): Execution | undefined {
    for (const execution of this.#byId.values()) if (execution.slot === slot) return execution
    return undefined
  }

  /** Interrupts; what has not stopped after the grace period ends without its engine. */
  async terminate(execution: Execution, grace: number): Promise<void> {
    const timer = this.#options.clock.setTimeout(() => execution.cut.resolve(INTERRUPTED), grace)
    try {
      await Promise.race([this.interrupt(execution.id), execution.cut.promise])
    } finally {
      timer.cancel()
    }
  }

  /**
   * Interrupts one execution, or what runs in the shared namespace; one that waits is aborted. Resolves when it has stopped, with
   * false when nothing of that name runs or waits.
   */
  async interrupt(id?: string): Promise<boolean> {
    if (id !== undefined) return await this.#interruptOne(this.#byId.get(id))
    const running = [...this.#queue.running]
    if (running.length === 0) await this.#interruptCallbacks()
    return (await Promise.all(running.map((execution) => this.#interruptOne(execution)))).some(Boolean)
  }

  async #interruptOne(execution: Execution | undefined): Promise<boolean> {
    if (!execution) return false
    if (execution.state === 'queued') {
      const match = (other: Execution): boolean => other === execution
      this.#abort([...this.#queue.remove(match), ...this.#fresh.remove(match)])
      return true
    }
    this.counters.interrupts++
    execution.abort(new LlmspellError('interrupted', { code: 'interrupted' }))
    if (execution.slot?.ready && !execution.preparing) await execution.interrupted(execution.slot.engine.interrupt())
    else execution.cut.resolve(INTERRUPTED)
    return true
  }

  /** Callbacks may run although no cell does. A cell that comes meanwhile waits, so that it is not hit in their place. */
  async #interruptCallbacks(): Promise<void> {
    const stopped = Promise.allSettled([...this.#options.pool.shared].filter((slot) => slot.ready).map((slot) => slot.engine.interrupt()))
    this.#callbacksStop = stopped
    try {
      await stopped
    } finally {
      if (this.#callbacksStop === stopped) this.#callbacksStop = undefined
    }
  }

  /** Ends everything: what waits is aborted, what runs fails with this reason, all engines go. Each request gets its answer. */
  async reset(reason: LlmspellError): Promise<void> {
    const all = (): boolean => true
    this.#abort([...this.#queue.remove(all), ...this.#fresh.remove(all)])
    for (const execution of this.#byId.values()) {
      execution.abort(reason)
      execution.cut.resolve({ status: 'error', error: errorToScriptError(reason) })
    }
    if (this.#byId.size > 0) {
      this.#whenQuiet ??= Promise.withResolvers()
      await this.#whenQuiet.promise
      this.#whenQuiet = undefined
    }
    await this.#options.pool.discardAll()
    this.#count = 0
  }

  list(): KernelStatusReply['executions'] {
    return [...this.#byId.values()].map((execution) => ({
      msg_id: execution.id,
      session: execution.session,
      source: execution.source,
      language: execution.language,
      state: execution.state === 'running' ? 'running' : 'queued',
      ...(execution.startedAt !== undefined && { started_at: execution.startedAt }),
    }))
  }

  /** Never rejects: the next one must have its turn. */
  async #run(execution: Execution): Promise<void> {
    try {
      await this.#answer(execution)
    } catch (error) {
      this.#options.logger.log('error', `could not answer an execution: ${messageOf(error)}`, { msg_id: execution.id })
      this.#options.origins.end(execution.id)
      this.#ended(execution, { status: 'error', error: errorToScriptError(error) })
      execution.envelope.fail(error)
    }
    this.#release(execution)
  }

  async #answer(execution: Execution): Promise<void> {
    const { envelope, request } = execution
    const { origins, output, clock } = this.#options
    execution.state = 'running'
    execution.startedAt = new Date(clock.now()).toISOString()
    const origin = output.createOrigin(envelope.message.header, envelope.peer, request.silent, execution)
    origins.add(execution.id, origin)
    envelope.open()
    const blank = request.code.trim() === ''
    if (request.store_history && !blank) this.#count++
    const count = this.#count
    if (execution.extension.source === undefined) execution.source = `cell [${count}]`
    if (!request.silent) envelope.publish('execute_input', { code: request.code, execution_count: count })
    if (request.store_history && !blank) this.#options.history.append(count, request.code)

    let outcome: ExecuteOutcome
    let expressions: Record<string, unknown> = {}
    try {
      if (this.#callbacksStop && !execution.fresh) await Promise.race([this.#callbacksStop, execution.cut.promise])
      outcome = blank && !execution.launch ? OK : await this.#perform(execution)
      if (outcome.status === 'ok') expressions = await this.#evaluate(execution)
    } catch (error) {
      outcome = { status: 'error', error: errorToScriptError(error) }
    }
    if (execution.interrupting) await Promise.race([execution.interruptsDone(), execution.cut.promise])
    if (outcome.status !== 'ok' && request.stop_on_error && !execution.fresh && !envelope.signal.aborted) {
      await new Promise<void>((resolve) => clock.setTimeout(resolve, FAILURE_SETTLES))
    }
    this.#finish(execution, origin, count, outcome, expressions)
  }

  async #perform(execution: Execution): Promise<ExecuteOutcome> {
    const { request, extension } = execution
    const { logger, trace } = this.#options
    const cell = parseCell(request.code, execution.language)
    execution.language = cell.language
    if (!execution.fresh && LEAVE.test(cell.code)) return LEAVING
    const query = extension.source === undefined ? parseDocumentationQuery(cell.code) : undefined
    const slot = this.#slotFor(execution)
    if (!slot.ready) {
      const cut = await Promise.race([slot.whenReady, execution.cut.promise])
      if (cut) return cut
    }
    if (query) return await Promise.race([this.#document(query, slot, execution), execution.cut.promise])
    if (extension.source === undefined) execution.debugSource = cellSource(this.#options.cells, request.code)
    const debuggerReady = this.#options.debugging.beforeRun(slot, execution)
    if (debuggerReady) {
      execution.preparing = true
      const cut = await Promise.race([debuggerReady, execution.cut.promise])
      execution.preparing = false
      if (cut) return cut
    }
    const job: ExecuteRequest = {
      executionId: execution.id,
      code: cell.code,
      language: cell.language,
      source: execution.source,
      ...(execution.debugSource !== undefined && { debugSource: execution.debugSource }),
      wantResult: extension.source === undefined,
      ...(extension.cwd !== undefined && { cwd: extension.cwd }),
      ...(extension.args !== undefined && { args: extension.args }),
      ...(execution.fresh && { drain: true }),
    }
    if (trace) logger.log('trace', 'engine execute', { ...job })
    const outcome = await Promise.race([slot.engine.execute(job), execution.cut.promise])
    if (trace) logger.log('trace', 'engine outcome', { execution: execution.id, ...outcome })
    if (outcome.error?.engineLost) this.#engineLost(slot)
    return outcome
  }

  async #document({ name, detail }: DocumentationQuery, slot: EngineSlot, execution: Execution): Promise<ExecuteOutcome> {
    const data = await slot.engine.inspect(name, name.length, detail, execution.language)
    if (!data)
      throw new LlmspellError(`nothing is known about ${name}`, {
        code: 'kernel.no_documentation',
        data: { name, language: execution.language },
        hint: 'It is not defined in this namespace, or has no documentation.',
      })
    execution.payload.push({ source: 'page', data, start: 0 })
    return OK
  }

  /** user_expressions, after a cell that succeeded. */
  async #evaluate(execution: Execution): Promise<Record<string, unknown>> {
    // Without a prototype: an expression may be named `__proto__`.
    const results: Record<string, unknown> = Object.create(null)
    for (const [name, expression] of Object.entries(execution.request.user_expressions)) {
      const slot = this.#slotFor(execution)
      const value = await Promise.race([
        slot.whenReady.then(() => slot.engine.evaluate(expression, execution.language, execution.id)),
        execution.cut.promise,
      ])
      if ('data' in value) results[name] = { status: 'ok', data: value.data, metadata: {} }
      else if (value.error) results[name] = { status: 'error', ...scriptErrorToContent(value.error) }
    }
    return results
  }

  #slotFor(execution: Execution): EngineSlot {
    const { pool } = this.#options
    execution.slot ??= execution.fresh ? pool.freshSlot(execution.language, execution.launch?.env) : pool.sharedSlot(execution.language)
    return execution.slot
  }

  #finish(execution: Execution, origin: Origin, count: number, outcome: ExecuteOutcome, expressions: Record<string, unknown>): void {
    const { envelope, request } = execution
    const { output, history, origins } = this.#options
    const error = outcome.status === 'ok' ? undefined : scriptErrorToContent(outcome.error ?? INTERRUPTED.error)
    if (outcome.result && !request.silent) {
      origin.stream.flush()
      envelope.publish('execute_result', { execution_count: count, data: outcome.result, metadata: {} })
      if (request.store_history) history.setOutput(count, textOf(outcome.result))
    }
    output.finish(origin)
    if (error && !request.silent) envelope.publish('error', error)
    this.counters.executions++
    if (error) this.counters.errors++
    if (execution.fresh) origins.forget(execution.id)
    else origins.end(execution.id)
    this.#ended(execution, outcome)
    // Taken out before the reply: what a client sends once it has the reply must run.
    const behind =
      error && request.stop_on_error && !execution.fresh ? this.#queue.remove((other) => other.session === execution.session) : []
    envelope.close(
      {
        status: error ? 'error' : 'ok',
        execution_count: count,
        ...error,
        payload: this.#payload(execution, outcome),
        user_expressions: expressions,
        ...extensionOf(outcome),
      },
      { metadata: { started: execution.startedAt } },
    )
    this.#abort(behind)
  }

  /** `page` shows documentation, `ask_exit` makes a console leave. */
  #payload(execution: Execution, outcome: ExecuteOutcome): Record<string, unknown>[] {
    if (!outcome.exit || execution.fresh) return execution.payload
    return [{ source: 'ask_exit', keepkernel: this.#options.keepKernelOnExit }]
  }

  /** A fresh namespace goes with its run; another engine stands by for the next one. */
  #release({ fresh, slot, envelope }: Execution): void {
    const { pool } = this.#options
    if (!fresh || !slot) return
    void pool.discard(slot)
    if (!envelope.signal.aborted) pool.keepSpare(slot.factory)
  }

  #abort(executions: Execution[]): void {
    for (const execution of executions) {
      this.counters.aborted++
      this.#ended(execution, INTERRUPTED)
      execution.envelope.close({ status: 'aborted', execution_count: this.#count, payload: [], user_expressions: {} })
    }
  }

  #ended(execution: Execution, outcome: ExecuteOutcome): void {
    execution.state = 'ended'
    this.#byId.delete(execution.id)
    if (execution.slot) this.#options.debugging.afterRun(execution.slot, execution, outcome)
    execution.launch?.ended(outcome)
    if (this.#byId.size === 0) this.#whenQuiet?.resolve()
  }

  #engineLost(slot: EngineSlot): void {
    this.counters.engines_lost++
    const { state } = slot.engine.status
    if (state === 'lost' || state === 'disposed') void this.#options.pool.discard(slot)
    else this.#options.onEngineRenewed(slot)
  }

  /** Message ids name executions; a client that reuses one does not mix up two. */
  #uniqueId(id: string): string {
    let unique = id
    for (let n = 2; this.#byId.has(unique); n++) unique = `${id}~${n}`
    return unique
  }
}

const OK: ExecuteOutcome = { status: 'ok' }
const LEAVING: ExecuteOutcome = { status: 'ok', exit: { code: 0 } }
const INTERRUPTED = {
  status: 'interrupted',
  error: { ename: 'Interrupted', evalue: 'interrupted', traceback: ['Interrupted: interrupted'] },
} satisfies ExecuteOutcome

function textOf(bundle: MimeBundle): string {
  const text = bundle['text/plain']
  return typeof text === 'string' ? text : ''
}

/** What plain Jupyter has no field for. */
function extensionOf({ error, exit }: ExecuteOutcome): { llmspell?: Record<string, unknown> } {
  if (!exit && !error?.position && !error?.engineLost) return {}
  return {
    llmspell: {
      ...(exit && { exit }),
      ...(error?.position && { position: error.position }),
      ...(error?.engineLost && { engine_lost: true }),
    },
  }
}
