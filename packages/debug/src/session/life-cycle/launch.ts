import { type Deferred, deferred, LlmspellError, messageOf } from '@llmspell/base'
import type { RequestContext } from '@llmspell/dap'
import type { DebuggedEngine, DebuggedRun } from '../../debug-host.ts'
import type { EngineLink } from '../../engine-link.ts'
import type { SessionContext } from '../session-context.ts'
import { showProgress } from './progress.ts'
import type { LaunchArguments } from './start-arguments.ts'

type Outcome = Awaited<DebuggedRun['ended']>

/** One run that the session started. */
export class Launch {
  readonly args: LaunchArguments
  readonly #context: SessionContext
  readonly #abort = new AbortController()
  readonly #ended: Deferred<void> = deferred()
  #link: EngineLink | undefined
  #run: DebuggedRun | undefined
  #terminating = false
  #progressId: string | undefined

  constructor(context: SessionContext, args: LaunchArguments) {
    this.#context = context
    this.args = args
  }

  /**
   * Resolves when the code runs. `ready`: the engine is, and nothing has run; `ended`: it ran, and all its output was told.
   * Rejects when it could not start.
   */
  async start(request: RequestContext, ready: () => Promise<void>, ended: (outcome: Outcome) => void): Promise<void> {
    const { host } = this.#context
    const { program } = this.args.options
    const progress = showProgress(this.#context, `Starting ${program}`, request.request.seq)
    this.#progressId = progress.id
    const giveUp = (): void => this.#abort.abort(new LlmspellError('the start was cancelled', { code: 'debug.launch_failed' }))
    request.signal.addEventListener('abort', giveUp, { once: true })
    try {
      this.#run = await host.launch(
        this.args.options,
        {
          prepare: async (engine) => {
            progress.dispose()
            await this.#join(engine)
            await abortable(ready(), this.#abort.signal)
          },
          output: (name, text) => this.#context.event('output', { category: name, output: text }),
        },
        this.#abort.signal,
      )
    } catch (error) {
      await this.leave('continue')
      throw launchFailed(program, error)
    } finally {
      progress.dispose()
      request.signal.removeEventListener('abort', giveUp)
    }
    // Nothing of the run is told before the answer that it has started.
    const release = this.#link?.hold(this.#context.member)
    const told = deferred()
    request.afterResponse(() => {
      release?.()
      told.resolve()
    })
    void Promise.all([this.#run.ended, told.promise]).then(async ([outcome]) => {
      await this.leave('continue')
      this.#ended.resolve()
      this.#tellError(outcome)
      ended(outcome)
    })
  }

  get started(): boolean {
    return this.#run !== undefined
  }

  cancels(progressId: string): void {
    if (progressId === this.#progressId) this.#abort.abort(new LlmspellError('the start was cancelled', { code: 'debug.launch_failed' }))
  }

  /** Resolves when it has ended; at once when it had not started. */
  async terminate(): Promise<void> {
    this.#terminating = true
    if (!this.#run) return this.#abort.abort(new LlmspellError('terminated before it ran', { code: 'debug.launch_failed' }))
    await this.#run.terminate()
    await this.#ended.promise
  }

  /** It goes on without this debugger, or stays where it stands still. */
  async leave(mode: 'continue' | 'stay'): Promise<void> {
    const link = this.#link
    if (!link) return
    this.#link = undefined
    this.#context.engines.remove(link)
    await link.leave(this.#context.member, mode)
  }

  async #join(engine: DebuggedEngine): Promise<void> {
    if (this.args.noDebug) return
    const { linkTo, engines, member } = this.#context
    const link = linkTo(engine)
    this.#link = link
    engines.add(link)
    await link.join(member, { control: true, stopOnEntry: this.args.stopOnEntry, recordHistory: this.args.recordHistory })
  }

  #tellError({ error }: Outcome): void {
    if (!error || this.#terminating) return
    const lines = error.traceback.length > 0 ? error.traceback : [`${error.name}: ${error.message}`]
    this.#context.event('output', { category: 'stderr', output: `${lines.join('\n')}\n` })
  }
}

function launchFailed(program: string, cause: unknown): LlmspellError {
  const hint = LlmspellError.is(cause) ? cause.hint : undefined
  return new LlmspellError(`cannot run ${program}: ${messageOf(cause)}`, {
    code: 'debug.launch_failed',
    cause,
    data: { program },
    ...(hint !== undefined && { hint }),
  })
}

function abortable(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.reject(signal.reason as Error)
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
