import { withTimeout } from '@llmspell/base'
import type { Dap } from '@llmspell/dap'
import { expect } from 'vitest'
import type { DebugCoordinator, DebugSession } from '../../src/index.ts'

const WAIT_MS = 20_000

export interface Stop {
  threadId: number
  body: Dap.StoppedEventBody
  frames: Dap.StackFrame[]
  line: number
}

/** Asks a session what an editor asks. Every message of it passes through JSON. */
export class SessionClient {
  readonly session: DebugSession
  readonly received: (Dap.Response | Dap.Event)[] = []
  closed = false
  #seq = 0
  readonly #pending = new Map<number, (response: Dap.Response) => void>()
  readonly #taken = new Map<string, number>()
  readonly #waiting = new Set<() => void>()

  constructor(coordinator: DebugCoordinator, kind: 'dap' | 'jupyter') {
    this.session = coordinator.createSession({
      kind,
      send: (message) => this.#receive(JSON.parse(JSON.stringify(message)) as Dap.Response | Dap.Event),
      close: () => {
        this.closed = true
      },
    })
  }

  get events(): Dap.Event[] {
    return this.received.filter((message): message is Dap.Event => message.type === 'event')
  }

  /** The whole answer, also of a refusal. */
  answer(command: string, args?: unknown): Promise<Dap.Response> {
    const seq = ++this.#seq
    const answered = new Promise<Dap.Response>((resolve) => this.#pending.set(seq, resolve))
    this.session.receive({ seq, type: 'request', command, ...(args === undefined ? {} : { arguments: args }) })
    return withTimeout(answered, WAIT_MS, `the answer to ${command}`)
  }

  /** The number that the next request will have. */
  get nextSeq(): number {
    return this.#seq + 1
  }

  async ask<C extends Dap.Command>(command: C, args?: Dap.ArgumentsOf<C>): Promise<Dap.BodyOf<C>> {
    const { success, message, body } = await this.answer(command, args)
    if (!success) throw new Error(`${command}: ${message}`)
    return body as Dap.BodyOf<C>
  }

  /** Why it is refused. */
  async refusal(command: string, args?: unknown): Promise<{ message: string; id: number | undefined; text: string }> {
    const { success, message, body } = await this.answer(command, args)
    expect(success, `${command} is refused`).toBe(false)
    const error = (body as Dap.ErrorResponseBody | undefined)?.error
    expect(error, `${command} says why`).toBeDefined()
    return { message: message ?? '', id: error?.id, text: error?.variables?.['text'] ?? error?.format ?? '' }
  }

  /** The next event of this kind that was not asked for yet. */
  event<E extends Dap.EventName>(name: E): Promise<Dap.Events[E]> {
    const index = this.#taken.get(name) ?? 0
    this.#taken.set(name, index + 1)
    const found = new Promise<Dap.Events[E]>((resolve) => {
      const look = (): void => {
        const event = this.all(name)[index]
        if (event === undefined) return
        this.#waiting.delete(look)
        resolve(event.body as Dap.Events[E])
      }
      this.#waiting.add(look)
      look()
    })
    return withTimeout(found, WAIT_MS, `event ${name} number ${index + 1}`)
  }

  all<E extends Dap.EventName>(name: E): (Dap.Event & { body: Dap.Events[E] })[] {
    return this.events.filter(({ event }) => event === name) as (Dap.Event & { body: Dap.Events[E] })[]
  }

  output(category?: string): string {
    const bodies = this.all('output').map(({ body }) => body)
    return bodies.flatMap((body) => (category === undefined || body.category === category ? body.output : [])).join('')
  }

  initialize(more: Partial<Dap.InitializeRequestArguments> = {}): Promise<Dap.Capabilities | undefined> {
    return this.ask('initialize', {
      clientID: 'test',
      clientName: 'Test editor',
      adapterID: 'llmspell',
      supportsVariableType: true,
      supportsMemoryReferences: true,
      supportsInvalidatedEvent: true,
      ...more,
    })
  }

  /** As editors do: initialize, start, configure when asked, and wait for the start's answer. */
  async start(
    command: 'launch' | 'attach',
    args: Record<string, unknown>,
    configure: () => Promise<unknown> = async () => undefined,
    initialize: Partial<Dap.InitializeRequestArguments> = {},
  ): Promise<void> {
    await this.initialize(initialize)
    const started = this.ask(command, { name: 'test', type: 'llmspell', __sessionId: '1', ...args })
    started.catch(() => undefined)
    await Promise.race([this.event('initialized'), started])
    await configure()
    await this.ask('configurationDone')
    await started
  }

  breakAt(path: string, breakpoints: (number | Dap.SourceBreakpoint)[]): Promise<Dap.Breakpoint[]> {
    const wanted = breakpoints.map((each) => (typeof each === 'number' ? { line: each } : each))
    return this.ask('setBreakpoints', { source: { path }, breakpoints: wanted }).then(({ breakpoints: bound }) => bound)
  }

  async stop(): Promise<Stop> {
    const body = await this.event('stopped')
    const threadId = body.threadId ?? 0
    const { stackFrames } = await this.ask('stackTrace', { threadId })
    return { threadId, body, frames: stackFrames, line: stackFrames[0]?.line ?? 0 }
  }

  async step(stop: Stop, command: 'next' | 'stepIn' | 'stepOut' | 'continue' | 'stepBack' | 'reverseContinue'): Promise<Stop> {
    await this.ask(command, { threadId: stop.threadId })
    return this.stop()
  }

  async variable(stop: Stop, name: string, frame = 0): Promise<Dap.Variable & { scope: number }> {
    const { scopes } = await this.ask('scopes', { frameId: stop.frames[frame]?.id ?? -1 })
    for (const scope of scopes) {
      const { variables } = await this.ask('variables', { variablesReference: scope.variablesReference })
      const found = variables.find((variable) => variable.name === name)
      if (found) return { ...found, scope: scope.variablesReference }
    }
    throw new Error(`there is no variable ${name}`)
  }

  #receive(message: Dap.Response | Dap.Event): void {
    this.received.push(message)
    if (message.type === 'response') {
      this.#pending.get(message.request_seq)?.(message)
      this.#pending.delete(message.request_seq)
    } else for (const look of [...this.#waiting]) look()
  }
}
