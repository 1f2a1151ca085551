import { codeOf, Emitter, LlmspellError, messageOf } from '@llmspell/base'
import { type Dap, DapClient, traceLine } from '@llmspell/dap'
import type { KernelDebugger } from '../kernel-debugger.ts'
import type { BreakpointBook } from './breakpoint-book.ts'

/** A thread that stands still. */
export interface Stop {
  threadId: number
  reason: string
  body: Dap.StoppedEventBody
  frames: Dap.StackFrame[]
  /** Which of the frames is looked at; 0 is where it stands. */
  at: number
}

export type State =
  | { type: 'idle' }
  | { type: 'running' }
  | { type: 'stopped'; stop: Stop }
  /** No exit code: the debugging ended, not the script. */
  | { type: 'ended'; exitCode?: number; reason?: string }

export type Resume = 'continue' | 'next' | 'stepIn' | 'stepOut' | 'stepBack' | 'reverseContinue'

export interface DebuggeeOptions {
  book: BreakpointBook
  open(): Promise<KernelDebugger>
  onOutput(output: Dap.OutputEventBody): void
  /** Something else stopped while this debugger looks at another thread. */
  onOtherStop(body: Dap.StoppedEventBody): void
  /** Told of every change, also while somebody waits for it. */
  onChange(state: State): void
  trace(line: string): void
}

const INITIALIZE: Dap.InitializeRequestArguments = {
  clientID: 'llmspell',
  clientName: 'llmspell debug',
  adapterID: 'llmspell',
  linesStartAt1: true,
  columnsStartAt1: true,
  pathFormat: 'path',
  supportsVariableType: true,
  supportsVariablePaging: true,
}
const INITIALIZED_MS = 60_000
/** Frames fetched at a stop; more come when the stack is walked. */
const FRAMES = 100

/** The script under the debugger: one conversation with a kernel's debug session per start of the script. */
export class Debuggee {
  readonly #options: DebuggeeOptions
  readonly #changed = new Emitter<State>()
  #client: DapClient | undefined
  #state: State = { type: 'idle' }
  /** Threads that stand still besides the one that is looked at. */
  readonly #others = new Map<number, Dap.StoppedEventBody>()
  #exitCode: number | undefined
  #impatient = false
  /** Counts what makes the stack of a stop obsolete that is still being asked for. */
  #stops = 0
  filters: string[] | undefined

  constructor(options: DebuggeeOptions) {
    this.#options = options
  }

  get state(): State {
    return this.#state
  }

  /** Of the run that ended last. */
  get exitCode(): number | undefined {
    return this.#exitCode
  }

  get capabilities(): Dap.Capabilities {
    return this.#client?.capabilities ?? {}
  }

  /** The thread that stands still. Code `debug.not_stopped`. */
  get stop(): Stop {
    if (this.#state.type === 'stopped') return this.#state.stop
    throw new LlmspellError(NOT_STOPPED[this.#state.type], { code: 'debug.not_stopped' })
  }

  get frame(): Dap.StackFrame {
    const { frames, at } = this.stop
    const frame = frames[at]
    if (frame) return frame
    throw new LlmspellError('this thread has no frames', { code: 'debug.not_stopped' })
  }

  /** Launches or attaches anew; a run that goes on is ended before. */
  async start(request: 'launch' | 'attach', args: Record<string, unknown>): Promise<void> {
    await this.leave(true)
    this.#exitCode = undefined
    this.#others.clear()
    this.#options.book.unbind()
    const { stream, token } = await this.#options.open()
    const client = new DapClient(stream, {
      // Everything is listened to; a script may print without end.
      keepEvents: 1,
      onMessage: (direction, message) => this.#options.trace(traceLine(direction === 'sent' ? '→ kernel' : 'kernel →', message)),
    })
    this.#client = client
    this.#listen(client)
    try {
      await client.request('initialize', INITIALIZE)
      this.#enter({ type: 'running' })
      const started = client.request(request, { ...args, token })
      // A refusal comes instead of the event.
      await Promise.race([client.waitFor('initialized', { timeoutMs: INITIALIZED_MS }), started])
      await this.#configure(client)
      await started
    } catch (error) {
      this.#enter({ type: 'idle' })
      this.#close(client)
      throw error
    }
  }

  /** Sends the request and waits until something stands still again, or the end. */
  async go(resume: Resume): Promise<State> {
    const { stop } = this
    this.#enter({ type: 'running' })
    try {
      await this.client.request(resume, { threadId: stop.threadId })
    } catch (error) {
      // What ended it is told by the state that follows.
      if (codeOf(error) === 'dap.closed') return this.settled()
      if (this.#state.type === 'running') this.#enter({ type: 'stopped', stop })
      throw error
    }
    const [next] = this.#others.values()
    if (next && this.#state.type === 'running') await this.#stopped(next)
    return this.settled()
  }

  /** Resolves when nothing runs, or with the running state when the wait is given up. */
  async settled(): Promise<State> {
    this.#impatient = false
    while (this.#state.type === 'running' && !this.#impatient)
      await new Promise<void>((resolve) => {
        const listener = this.#changed.on(() => {
          listener.dispose()
          resolve()
        })
      })
    return this.#state
  }

  giveUpWaiting(): void {
    this.#impatient = true
    this.#changed.emit(this.#state)
  }

  /** Without a number: the first. */
  async pause(threadId?: number): Promise<void> {
    const chosen = threadId ?? (await this.threads())[0]?.id
    if (chosen === undefined) throw new LlmspellError('nothing runs', { code: 'debug.not_stopped' })
    await this.client.request('pause', { threadId: chosen })
  }

  async threads(): Promise<Dap.Thread[]> {
    return (await this.client.request('threads')).threads
  }

  /** Looks at another thread; it must stand still. */
  async look(threadId: number): Promise<Stop> {
    if (this.#state.type === 'ended') throw new LlmspellError(NOT_STOPPED.ended, { code: 'debug.not_stopped' })
    const present = this.#state.type === 'stopped' ? this.#state.stop : undefined
    if (present?.threadId === threadId) return present
    const { stackFrames } = await this.client.request('stackTrace', { threadId, startFrame: 0, levels: FRAMES })
    const body = this.#others.get(threadId) ?? { reason: present?.reason ?? 'pause', threadId }
    if (present) this.#others.set(present.threadId, present.body)
    this.#others.delete(threadId)
    const stop: Stop = { threadId, reason: body.reason, body, frames: stackFrames, at: 0 }
    this.#enter({ type: 'stopped', stop })
    return stop
  }

  /** All frames, as far as they are known to exist. */
  async allFrames(limit: number): Promise<{ frames: Dap.StackFrame[]; more: boolean }> {
    const { stop } = this
    while (stop.frames.length < limit && stop.frames.length % FRAMES === 0 && stop.frames.length > 0) {
      const { stackFrames } = await this.client.request('stackTrace', {
        threadId: stop.threadId,
        startFrame: stop.frames.length,
        levels: FRAMES,
      })
      if (stackFrames.length === 0) break
      stop.frames.push(...stackFrames)
    }
    return { frames: stop.frames.slice(0, limit), more: stop.frames.length > limit }
  }

  /** Tells the session which breakpoints a file has now. */
  async syncSource(file: string): Promise<void> {
    if (this.#client && this.#state.type !== 'ended') await this.#sendSource(this.#client, file)
  }

  async syncFunctions(): Promise<void> {
    if (this.#client && this.#state.type !== 'ended') await this.#sendFunctions(this.#client)
  }

  async setFilters(filters: string[]): Promise<void> {
    this.filters = filters
    if (this.#client && this.#state.type !== 'ended') await this.#client.request('setExceptionBreakpoints', { filters })
  }

  /** Ends the conversation; `terminate`: and a script that it launched. */
  async leave(terminate: boolean): Promise<void> {
    const client = this.#client
    if (!client) return
    this.#client = undefined
    try {
      await client.request('disconnect', { terminateDebuggee: terminate }, { signal: AbortSignal.timeout(LEAVE_MS) })
    } catch {
      // It is gone already, or does not answer: the end of the connection says the same.
    }
    client.close()
    this.#enter({ type: 'idle' })
  }

  #listen(client: DapClient): void {
    const own = (): boolean => this.#client === client
    client.on('output', (body) => own() && this.#options.onOutput(body))
    client.on('breakpoint', ({ breakpoint }) => own() && this.#options.book.changed(breakpoint))
    client.on('stopped', (body) => own() && void this.#stopped(body))
    client.on('continued', ({ threadId, allThreadsContinued }) => {
      if (!own()) return
      this.#stops++
      if (allThreadsContinued) this.#others.clear()
      else this.#others.delete(threadId)
      if (this.#state.type === 'stopped' && (allThreadsContinued || this.#state.stop.threadId === threadId))
        this.#enter({ type: 'running' })
    })
    client.on('exited', ({ exitCode }) => {
      this.#exitCode = exitCode
    })
    client.on('terminated', () => own() && this.#ended(undefined))
    void client.ended.then((reason) => own() && this.#state.type !== 'ended' && this.#ended(reason?.message))
  }

  async #stopped(body: Dap.StoppedEventBody): Promise<void> {
    const client = this.client
    const threadId = body.threadId ?? 1
    if (this.#state.type === 'stopped' && this.#state.stop.threadId !== threadId) {
      this.#others.set(threadId, body)
      this.#options.onOtherStop(body)
      return
    }
    this.#others.delete(threadId)
    const stops = ++this.#stops
    let frames: Dap.StackFrame[] = []
    try {
      frames = (await client.request('stackTrace', { threadId, startFrame: 0, levels: FRAMES })).stackFrames
    } catch (error) {
      if (this.#client !== client) return
      this.#options.onOutput({ category: 'important', output: `the stack cannot be read: ${messageOf(error)}\n` })
    }
    if (this.#client === client && this.#stops === stops)
      this.#enter({ type: 'stopped', stop: { threadId, reason: body.reason, body, frames, at: 0 } })
  }

  #ended(reason: string | undefined): void {
    this.#stops++
    this.#others.clear()
    this.#enter({
      type: 'ended',
      ...(this.#exitCode !== undefined && { exitCode: this.#exitCode }),
      ...(reason !== undefined && { reason }),
    })
  }

  async #configure(client: DapClient): Promise<void> {
    const { book } = this.#options
    for (const file of book.files()) await this.#sendSource(client, file)
    if (book.functions().length > 0) await this.#sendFunctions(client)
    const known = client.capabilities.exceptionBreakpointFilters ?? []
    this.filters ??= known.filter((filter) => filter.default).map(({ filter }) => filter)
    if (known.length > 0) await client.request('setExceptionBreakpoints', { filters: this.filters })
    if (client.capabilities.supportsConfigurationDoneRequest) await client.request('configurationDone')
  }

  async #sendSource(client: DapClient, file: string): Promise<void> {
    const wanted = this.#options.book.enabledIn(file)
    const { breakpoints } = await client.request('setBreakpoints', {
      source: { path: file },
      breakpoints: wanted.map(({ line, condition, hitCondition, logMessage }) => ({
        line,
        ...(condition !== undefined && { condition }),
        ...(hitCondition !== undefined && { hitCondition }),
        ...(logMessage !== undefined && { logMessage }),
      })),
    })
    for (const [index, entry] of wanted.entries()) this.#options.book.bound(entry, breakpoints[index])
  }

  async #sendFunctions(client: DapClient): Promise<void> {
    const wanted = this.#options.book.functions()
    const { breakpoints } = await client.request('setFunctionBreakpoints', {
      breakpoints: wanted.map(({ name, condition, hitCondition }) => ({
        name,
        ...(condition !== undefined && { condition }),
        ...(hitCondition !== undefined && { hitCondition }),
      })),
    })
    for (const [index, entry] of wanted.entries()) this.#options.book.bound(entry, breakpoints[index])
  }

  #close(client: DapClient): void {
    if (this.#client === client) this.#client = undefined
    client.close()
  }

  /** The conversation. Code `debug.not_stopped` while there is none. */
  get client(): DapClient {
    if (this.#client) return this.#client
    throw new LlmspellError(NOT_STOPPED.idle, { code: 'debug.not_stopped' })
  }

  #enter(state: State): void {
    this.#state = state
    this.#changed.emit(state)
    this.#options.onChange(state)
  }
}

const LEAVE_MS = 5_000

const NOT_STOPPED = {
  idle: 'the script does not run; `run` starts it',
  running: 'the script runs; Ctrl-C or `pause` stops it',
  stopped: '',
  ended: 'the script has ended; `run` starts it again',
}
