import { type Deferred, deferred, LlmspellError, messageOf } from '@llmspell/base'
import type { RequestContext } from '@llmspell/dap'
import type { DebuggedEngine, DebuggedRun } from '../../debug-host.ts'
import type { EngineLink } from '../../engine-link.ts'
import type { SessionContext } from '../session-context.ts'
import { abortable } from './abortable.ts'
import { showProgress } from './progress.ts'
import type { LaunchArguments } from './start-arguments.ts'

type Outcome = Awaited<DebuggedRun['ended']>

/** One run that the session started. */
export class Launch {
  readonly args: LaunchArguments
  readonly #context: SessionContext
  readonly #abort = new AbortController()
  readonly #ended: Deferred<Outcome> = deferred()
  #link: EngineLink | undefined
  #run: DebuggedRun | undefined
  #begun = false
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
    const prepared = deferred()
    prepared.promise.catch(() => undefined)
    const progress = showProgress(this.#context, `Starting ${program}`, request.request.seq)
    this.#progressId = progress.id
    const giveUp = (): void => this.#giveUp('the start was cancelled')
    request.signal.addEventListener('abort', giveUp, { once: true })
    try {
      const run = await host.launch(
        this.args.options,
        {
          prepare: async (engine) => {
            progress.dispose()
            try {
              await this.#join(engine)
              await abortable(ready(), this.#abort.signal)
              prepared.resolve()
            } catch (error) {
              prepared.reject(error)
              throw error
            }
          },
          output: (name, text) => this.#context.event('output', { category: name, output: text }),
        },
        this.#abort.signal,
      )
      this.#run = run
      void run.ended.then(async (outcome) => {
        await this.leave('continue')
        this.#ended.resolve(outcome)
      })
      await abortable(Promise.race([prepared.promise, run.ended.then(neverBegan)]), this.#abort.signal)
    } catch (error) {
      await this.leave('continue')
      throw launchFailed(program, error)
    } finally {
      progress.dispose()
      request.signal.removeEventListener('abort', giveUp)
    }
    this.#begun = true
    // Nothing of the run is told before the answer that it has started.
    const release = this.#link?.hold(this.#context.member)
    const told = deferred()
    request.afterHandling(() => {
      release?.()
      told.resolve()
    })
    void Promise.all([this.#ended.promise, told.promise]).then(([outcome]) => {
      this.#tellError(outcome)
      ended(outcome)
    })
  }

  /** Its code runs, or has. */
  get begun(): boolean {
    return this.#begun
  }

  cancels(progressId: string): void {
    if (progressId === this.#progressId) this.#giveUp('the start was cancelled')
  }

  /** Resolves when it has ended; at once when it had not started. */
  async terminate(): Promise<void> {
    this.#terminating = true
    this.#giveUp('it was terminated before it ran')
    if (!this.#run) return
    await this.#run.terminate()
    await this.#ended.promise
  }

  /** It goes on without this debugger, or stays where it stands still. */
  async leave(mode: 'continue' | 'stay'): Promise<void> {
    const link = this.#link
    if (!link) return
    this.#link = undefined
    await link.leave(this.#context.member, mode)
    this.#context.engines.remove(link)
  }

  async #join(engine: DebuggedEngine): Promise<void> {
    if (this.args.noDebug) return
    const { linkTo, engines, member } = this.#context
    const link = linkTo(engine)
    this.#link = link
    engines.add(link)
    await link.join(member, { control: true, stopOnEntry: this.args.stopOnEntry, recordHistory: this.args.recordHistory })
  }

  /** No matter once it runs. */
  #giveUp(why: string): void {
    this.#abort.abort(new LlmspellError(why, { code: 'debug.launch_failed' }))
  }

  #tellError({ error }: Outcome): void {
    if (!error || this.#terminating) return
    const lines = error.traceback.length > 0 ? error.traceback : [`${error.name}: ${error.message}`]
    this.#context.event('output', { category: 'stderr', output: `${lines.join('\n')}\n` })
  }
}

function neverBegan({ exitCode, error }: Outcome): never {
  throw new LlmspellError(error?.message ?? `it ended with code ${exitCode} before it began`, { code: 'debug.launch_failed' })
}

function launchFailed(program: string, cause: unknown): LlmspellError {
  const hint = LlmspellError.is(cause) ? cause.hint : undefined
  return new LlmspellError(messageOf(cause), { code: 'debug.launch_failed', cause, data: { program }, ...(hint !== undefined && { hint }) })
}
