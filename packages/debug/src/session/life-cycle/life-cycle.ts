import { type Deferred, deferred, LlmspellError } from '@llmspell/base'
import type { Dap, RequestContext } from '@llmspell/dap'
import type { EngineLink } from '../../engine-link.ts'
import type { SessionContext } from '../session-context.ts'
import { abortable } from './abortable.ts'
import { Attachment } from './attachment.ts'
import { Launch } from './launch.ts'
import { type OnDisconnect, readAttach, readLaunch } from './start-arguments.ts'

/**
 * `fresh` → `initialized` → `starting` (launch or attach is accepted, the client configures) → `running` → `ended` (the program has).
 * A notebook's session goes from `running` back to `fresh` at `disconnect`.
 */
export type Phase = 'fresh' | 'initialized' | 'starting' | 'running' | 'ended'

/** How a session begins and ends, and what it debugs meanwhile. */
export class LifeCycle {
  readonly #context: SessionContext
  #phase: Phase = 'fresh'
  #subject: Launch | Attachment | undefined
  /** Requests that set something up and are not answered yet. */
  readonly #configuring = new Set<Promise<unknown>>()
  /** Launch, attach or restart, until it is answered. */
  #starting: Promise<void> = Promise.resolve()
  #configured: Deferred<void> = waitForClient()
  #restarting = false
  #saidTerminated = false

  constructor(context: SessionContext) {
    this.#context = context
  }

  get phase(): Phase {
    return this.#phase
  }

  /** The client has been told that it debugs something. */
  get running(): boolean {
    return this.#phase === 'running'
  }

  /** True from the acceptance of launch or attach to the end. */
  get attached(): boolean {
    return this.#phase === 'starting' || this.#phase === 'running'
  }

  initialized(): void {
    if (this.#phase === 'fresh') this.#phase = 'initialized'
  }

  /** `disconnect` waits until this is answered: after it nothing is. */
  starting(request: Promise<void>): Promise<void> {
    this.#starting = request
    return request
  }

  /** `configurationDone` waits for these. */
  configuring<T>(request: Promise<T>): Promise<T> {
    this.#configuring.add(request)
    const done = (): void => {
      this.#configuring.delete(request)
    }
    request.then(done, done)
    return request
  }

  async configurationDone(request: RequestContext): Promise<void> {
    await Promise.allSettled(this.#configuring)
    request.afterResponse(() => this.#configured.resolve())
  }

  async launch(given: Dap.LaunchRequestArguments, request: RequestContext): Promise<void> {
    const launch = new Launch(this.#context, readLaunch(given, this.#context.client))
    this.#begin(launch)
    const ready = async (): Promise<void> => {
      this.#context.event('initialized')
      this.#tellAbilities()
      await this.#configured.promise
    }
    try {
      await launch.start(request, ready, (outcome) => this.#ended(launch, outcome.exitCode))
    } catch (error) {
      this.#rewind(launch)
      throw error
    }
    this.#startedAfter(request, launch.args.options.program, 'launch')
  }

  async attach(given: Dap.AttachRequestArguments, request: RequestContext): Promise<void> {
    const { kind, client, event } = this.#context
    // A second client of the notebook, or the first one after a reload.
    if (kind === 'jupyter' && this.attached) return
    const attachment = new Attachment(this.#context, readAttach(given, client))
    this.#begin(attachment)
    try {
      await attachment.start()
      if (kind === 'dap') {
        event('initialized')
        this.#tellAbilities()
        await abortable(this.#configured.promise, request.signal)
      }
    } catch (error) {
      this.#rewind(attachment)
      await attachment.leave('continue')
      throw error
    }
    this.#startedAfter(request, attachment.args.run ?? 'llmspell kernel', 'attach')
  }

  /** The same again: a launched script from its beginning, an attached kernel with fresh namespaces. Breakpoints stay. */
  async restart(given: Dap.LaunchRequestArguments | Dap.AttachRequestArguments | undefined, request: RequestContext): Promise<void> {
    const { host, client, references, event } = this.#context
    const subject = this.#subject
    if (subject instanceof Attachment) {
      for (const link of this.#context.engines.links) this.#context.engines.requireControl(link)
      await host.restart()
      references.clear()
    } else if (subject) {
      const args = given && 'program' in given ? readLaunch(given, client) : subject.args
      const next = new Launch(this.#context, args)
      this.#restarting = true
      // From here on: whoever ends the session meanwhile gives up the start that is to come.
      this.#subject = next
      try {
        await subject.terminate()
        references.clear()
        await next.start(
          request,
          async () => this.#tellAbilities(),
          (outcome) => this.#ended(next, outcome.exitCode),
        )
      } catch (error) {
        this.#restarting = false
        this.#ended(next, undefined)
        throw error
      }
      this.#restarting = false
    }
    if (client.wantsInvalidated) request.afterResponse(() => event('invalidated', { areas: ['all'] }))
  }

  /** Asks what runs to end; its end is told by events. */
  async terminate(): Promise<void> {
    const subject = this.#subject
    if (subject instanceof Launch) await subject.terminate()
    else if (subject) {
      await subject.interrupt()
      await subject.leave('continue')
      this.#ended(subject, undefined)
    }
  }

  /** Resolves when what was debugged has ended, goes on alone, or stays where it is. */
  async disconnect({ terminateDebuggee, suspendDebuggee }: Dap.DisconnectArguments): Promise<void> {
    const said: OnDisconnect | undefined =
      terminateDebuggee === true ? 'terminate' : suspendDebuggee === true ? 'stay' : terminateDebuggee === false ? 'continue' : undefined
    const usual = this.#subject instanceof Launch ? 'terminate' : 'continue'
    await this.#leave(said ?? this.#subject?.args.onDisconnect ?? usual)
  }

  /** The client has gone without a word. */
  async vanished(): Promise<void> {
    await this.#leave(this.#subject?.args.onDisconnect ?? 'continue')
  }

  /** The kernel ends. */
  kernelEnds(): void {
    if (this.attached) this.#ended(this.#subject, undefined)
  }

  cancelProgress(progressId: string): void {
    if (this.#subject instanceof Launch) this.#subject.cancels(progressId)
  }

  engineAdded(link: EngineLink): void {
    if (this.#subject instanceof Attachment) this.#subject.engineAdded(link)
  }

  /** After the start: it may know more than the others, and may stand still already. */
  engineJoined(link: EngineLink): void {
    if (!this.running) return
    this.#tellAbilities()
    this.#context.event('thread', { reason: 'started', threadId: this.#context.engines.threadToClient(link, 1) })
    if (link.stop) this.#context.stops.stopped(link, link.stop)
  }

  /** Whether the session tells what an execution prints; of its own launch it hears in another way. */
  hears(executionId: string): boolean {
    if (!(this.#subject instanceof Attachment) || this.#context.kind === 'jupyter') return false
    return this.#subject.executionId === undefined || this.#subject.executionId === executionId
  }

  executionEnded(executionId: string, exitCode: number | undefined): void {
    const subject = this.#subject
    if (!(subject instanceof Attachment) || subject.executionId !== executionId || !this.attached) return
    void subject.leave('continue')
    this.#ended(subject, exitCode)
  }

  #begin(subject: Launch | Attachment): void {
    this.#subject = subject
    this.#phase = 'starting'
    this.#context.attachedChanged(true)
  }

  /** The start failed; another may be tried. */
  #rewind(subject: Launch | Attachment): void {
    if (this.#subject !== subject) return
    this.#subject = undefined
    this.#phase = 'initialized'
    this.#configured = waitForClient()
    this.#context.attachedChanged(false)
  }

  #startedAfter(request: RequestContext, name: string, startMethod: 'launch' | 'attach'): void {
    request.afterResponse(() => {
      if (this.#phase !== 'starting') return
      this.#phase = 'running'
      if (this.#context.kind === 'dap') this.#context.event('process', { name, isLocalProcess: true, startMethod })
      this.#context.stops.announce()
    })
  }

  /** `terminated` is said once: some clients answer it with `terminate`, for ever. */
  #ended(subject: Launch | Attachment | undefined, exitCode: number | undefined): void {
    if (this.#restarting || subject !== this.#subject || this.#saidTerminated) return
    this.#finish()
    if (this.#context.kind === 'jupyter') return
    this.#saidTerminated = true
    if (exitCode !== undefined) this.#context.event('exited', { exitCode })
    this.#context.event('terminated')
  }

  async #leave(how: OnDisconnect): Promise<void> {
    const subject = this.#subject
    this.#finish()
    if (!subject) return
    if (how === 'terminate' || (subject instanceof Launch && !subject.begun))
      await (subject instanceof Launch ? subject.terminate() : subject.interrupt())
    await subject.leave(how === 'stay' ? 'stay' : 'continue')
    await this.#starting.catch(() => undefined)
  }

  /** Requests that wait for the client's configuration are told that none will come. */
  #finish(): void {
    this.#phase = this.#context.kind === 'jupyter' ? 'fresh' : 'ended'
    this.#subject = undefined
    this.#configured.reject(new LlmspellError('the session ended before it was configured', { code: 'debug.not_attached' }))
    this.#configured = waitForClient()
    this.#context.attachedChanged(false)
  }

  /** What only some engines can, and only when asked to. */
  #tellAbilities(): void {
    for (const link of this.#context.engines.links) {
      if (!link.recordsHistory) continue
      return this.#context.event('capabilities', { capabilities: { supportsStepBack: true } })
    }
  }
}

/** Nobody may be waiting when it fails. */
function waitForClient(): Deferred<void> {
  const configured = deferred()
  configured.promise.catch(() => undefined)
  return configured
}

export function wrongState(command: string, phase: Phase): LlmspellError {
  const why: Readonly<Record<Phase, string>> = {
    fresh: "'initialize' comes first",
    initialized: "needs 'launch' or 'attach' first",
    starting: 'is already done',
    running: 'is already done',
    ended: 'comes too late: what was debugged has ended',
  }
  return new LlmspellError(`'${command}' ${why[phase]}`, { code: 'debug.wrong_state', data: { command, phase } })
}
