import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { withTimeout } from '@llmspell/base'
import { type Home, llmspellBin, until } from '@llmspell/testkit'
import { DebugClient } from '@vscode/debugadapter-testsupport'
import type { DebugProtocol } from '@vscode/debugprotocol'
import type { Program } from './program.ts'

/** For anything that may have to wait for a kernel to start on a loaded machine. */
export const WAIT = 30_000

export interface Stop {
  reason: string
  threadId: number
  body: DebugProtocol.StoppedEvent['body']
  frames: DebugProtocol.StackFrame[]
  /** Of the top frame. */
  line: number
}

export interface StartOptions {
  breakpoints?: readonly { program: Program; at: readonly DebugProtocol.SourceBreakpoint[] }[]
  functions?: readonly DebugProtocol.FunctionBreakpoint[]
  exceptions?: readonly string[]
  initialize?: Partial<DebugProtocol.InitializeRequestArguments>
}

export type Step = 'continue' | 'next' | 'stepIn' | 'stepOut' | 'stepBack' | 'reverseContinue'

/**
 * What an editor does with `llmspell dap`, by the DAP client that Microsoft gives to authors of debug adapters. It takes the events of a
 * kind one after the other, so none is missed that came early.
 */
export class Editor {
  readonly client: DebugClient = new Client()
  readonly adapter: ChildProcess
  readonly events: DebugProtocol.Event[] = []
  capabilities: DebugProtocol.Capabilities = {}
  readonly #taken = new Map<string, number>()
  #printed = ''
  #stop: Stop | undefined

  constructor(home: Home, args: readonly string[] = ['dap'], cwd: string = home.dir) {
    this.adapter = spawn(process.execPath, [llmspellBin(), ...args], { cwd, env: home.env, stdio: ['pipe', 'pipe', 'pipe'] })
    this.adapter.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#printed += text))
    this.adapter.stdin?.on('error', () => {}) // it ended: what waits for an answer says so
    const client = this.client as Client
    client.onEvent = (event) => this.events.push(event)
    client.use(this.adapter)
  }

  /** Opens the session and comes back when launch or attach was answered. */
  async start(request: 'launch' | 'attach', args: object, options: StartOptions = {}): Promise<DebugProtocol.Breakpoint[]> {
    const answer = await this.ask('initialize', {
      clientID: 'test',
      adapterID: 'llmspell',
      linesStartAt1: true,
      columnsStartAt1: true,
      pathFormat: 'path',
      supportsVariableType: true,
      ...options.initialize,
    })
    this.capabilities = (answer.body ?? {}) as DebugProtocol.Capabilities
    // an editor adds words of its own to every configuration
    const started = this.ask(request, { name: 'a test', type: 'llmspell', request, __sessionId: 'one', ...args })
    started.catch(() => {}) // awaited below, unless it fails before
    await Promise.race([this.event('initialized'), started])
    const bound: DebugProtocol.Breakpoint[] = []
    for (const { program, at } of options.breakpoints ?? []) bound.push(...(await this.setBreakpoints(program, at)))
    if (options.functions) await this.client.setFunctionBreakpointsRequest({ breakpoints: [...options.functions] })
    await this.client.setExceptionBreakpointsRequest({ filters: [...(options.exceptions ?? [])] })
    await this.ask('configurationDone')
    await started
    return bound
  }

  /** Sends a request; one that is refused rejects with the message of the answer. */
  ask(command: string, args?: object): Promise<DebugProtocol.Response> {
    return withTimeout(this.client.send(command, args), WAIT, `the answer to ${command}\n${this.report()}`)
  }

  async setBreakpoints(program: Pick<Program, 'path'>, at: readonly DebugProtocol.SourceBreakpoint[]): Promise<DebugProtocol.Breakpoint[]> {
    const answer = await this.ask('setBreakpoints', { source: { path: program.path }, breakpoints: at })
    return (answer.body as { breakpoints: DebugProtocol.Breakpoint[] }).breakpoints
  }

  /** The next event of this kind that was not asked for yet. */
  async event<T extends DebugProtocol.Event>(name: string, ms: number = WAIT): Promise<T> {
    const index = this.#taken.get(name) ?? 0
    this.#taken.set(name, index + 1)
    const of = (): DebugProtocol.Event[] => this.events.filter(({ event }) => event === name)
    const look = (): DebugProtocol.Event | 'over' | undefined => of()[index] ?? (this.#over() ? 'over' : undefined)
    const seen = await until(`event ${name}`, look, ms).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.report()}`, { cause: error })
    })
    if (seen === 'over') throw new Error(`no event ${name}: the session is over\n${this.report()}`)
    return seen as T
  }

  /** Where it stops next. */
  async stop(): Promise<Stop> {
    const { body } = await this.event<DebugProtocol.StoppedEvent>('stopped')
    const threadId = Number(body.threadId)
    const trace = await this.ask('stackTrace', { threadId, startFrame: 0, levels: 20 })
    const frames = (trace.body as { stackFrames: DebugProtocol.StackFrame[] }).stackFrames
    this.#stop = { reason: body.reason, threadId, body, frames, line: frames[0]?.line ?? 0 }
    return this.#stop
  }

  async go(step: Step): Promise<void> {
    await this.ask(step, { threadId: this.#at().threadId })
  }

  /** Goes on and tells where it stops next. */
  async step(step: Step): Promise<Stop> {
    await this.go(step)
    return this.stop()
  }

  /** Goes on and waits for the end; the exit code of the script. */
  async finish(): Promise<number | undefined> {
    await this.go('continue')
    return this.ended()
  }

  /** The session is over; the exit code of the script, if it was told. */
  async ended(): Promise<number | undefined> {
    await this.event('terminated')
    const exited = this.events.find(({ event }) => event === 'exited') as DebugProtocol.ExitedEvent | undefined
    return exited?.body.exitCode
  }

  async threads(): Promise<DebugProtocol.Thread[]> {
    return ((await this.ask('threads')).body as { threads: DebugProtocol.Thread[] }).threads
  }

  /** The scopes of a frame, the top one if not said otherwise. */
  async scopes(frame = 0): Promise<DebugProtocol.Scope[]> {
    const frameId = this.#at().frames[frame]?.id
    return ((await this.ask('scopes', { frameId })).body as { scopes: DebugProtocol.Scope[] }).scopes
  }

  async variables(variablesReference: number, page: Partial<DebugProtocol.VariablesArguments> = {}): Promise<DebugProtocol.Variable[]> {
    const answer = await this.ask('variables', { variablesReference, ...page })
    return (answer.body as { variables: DebugProtocol.Variable[] }).variables
  }

  /** A variable by name, in whichever cheap scope of the frame holds it, with the reference of that scope. */
  async variable(name: string, frame = 0): Promise<DebugProtocol.Variable & { scope: DebugProtocol.Scope }> {
    const seen: string[] = []
    for (const scope of await this.scopes(frame)) {
      if (scope.expensive) continue
      const variables = await this.variables(scope.variablesReference)
      const found = variables.find((each) => each.name === name)
      if (found) return { ...found, scope }
      seen.push(`${scope.name}: ${variables.map((each) => each.name).join(' ')}`)
    }
    throw new Error(`no variable ${name} in ${seen.join('; ')}`)
  }

  async setVariable(name: string, value: string): Promise<string> {
    const { scope } = await this.variable(name)
    const answer = await this.ask('setVariable', { variablesReference: scope.variablesReference, name, value })
    return (answer.body as { value: string }).value
  }

  async evaluate(expression: string, context = 'repl', frame = 0): Promise<string> {
    const frameId = this.#stop?.frames[frame]?.id
    const answer = await this.ask('evaluate', { expression, context, ...(frameId === undefined ? {} : { frameId }) })
    return (answer.body as { result: string }).result
  }

  /** What was printed, by category; all of it without one. */
  output(category?: string): string {
    return this.events
      .filter((event): event is DebugProtocol.OutputEvent => event.event === 'output')
      .filter(({ body }) => category === undefined || (body.category ?? 'console') === category)
      .map(({ body }) => body.output)
      .join('')
  }

  async printed(text: string): Promise<void> {
    await until(`output ${JSON.stringify(text)}`, () => this.output().includes(text), WAIT).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.report()}`, { cause: error })
    })
  }

  /** Leaves as an editor does and waits for the adapter's end. */
  async close(args: DebugProtocol.DisconnectArguments = {}): Promise<void> {
    if (this.adapter.exitCode !== null || this.adapter.signalCode !== null) return
    const exited = once(this.adapter, 'exit')
    await this.client.disconnectRequest(args)
    this.adapter.stdin?.end()
    await withTimeout(exited, WAIT, 'the adapter to end after disconnect')
  }

  /** As when the machine takes it away. */
  async kill(): Promise<void> {
    if (this.adapter.exitCode !== null || this.adapter.signalCode !== null) return
    const exited = once(this.adapter, 'exit')
    this.adapter.kill('SIGKILL')
    await exited
  }

  /** For messages of failures. */
  report(): string {
    const events = this.events.map(({ event, body }) => `  ${event} ${JSON.stringify(body ?? {}).slice(0, 200)}`)
    return ['events so far:', ...events.slice(-15), `the adapter printed: ${this.#printed}`].join('\n')
  }

  /** Nothing will come any more. */
  #over(): boolean {
    return this.adapter.exitCode !== null || this.adapter.signalCode !== null || this.events.some(({ event }) => event === 'terminated')
  }

  #at(): Stop {
    if (!this.#stop) throw new Error('it has not stopped yet')
    return this.#stop
  }
}

class Client extends DebugClient {
  onEvent: (event: DebugProtocol.Event) => void = () => {}

  constructor() {
    super('', '', 'llmspell')
  }

  /** The library itself can pass a program one argument only. */
  use({ stdin, stdout }: ChildProcess): void {
    if (stdin && stdout) this.connect(stdout, stdin)
  }

  override emit(name: string | symbol, ...args: unknown[]): boolean {
    const [event] = args as [DebugProtocol.Event | undefined]
    if (event?.type === 'event') this.onEvent(event)
    return super.emit(name, ...args)
  }
}
