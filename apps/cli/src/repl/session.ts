import { codeOf, messageOf } from '@llmspell/base'
import type { Output } from '@llmspell/client'
import type { KernelRecord } from '@llmspell/jupyter'
import { type Context, flag, option } from '../context.ts'
import { EXIT } from '../exit-codes.ts'
import { createSink } from '../render/sink.ts'
import { reportError } from '../report-error.ts'
import { execute, type Outcome, type OutputSink } from '../session/execute.ts'
import type { Input } from '../session/input.ts'
import { type Language, languageOption } from '../session/languages.ts'
import { type OpenKernel, openKernel } from '../session/open-kernel.ts'

/** Milliseconds a question asked between two keys may take. */
const QUICK_MS = 2_000

/** A prompt's side of the kernel: what is entered is executed in its shared namespace, in the language chosen last. */
export class ReplSession {
  readonly context: Context
  /** What was entered, for `:save`. */
  readonly entered: string[] = []
  language: Language
  /** Any of the inputs failed. */
  failed = false
  #kernel: OpenKernel
  /** Where output goes that comes when nothing of ours runs any more. */
  onLateOutput: ((output: Output) => void) | undefined

  private constructor(context: Context, kernel: OpenKernel) {
    this.context = context
    this.#kernel = kernel
    this.language = languageOption(context) ?? kernel.connection.llmspell?.language ?? 'lua'
  }

  static async open(context: Context): Promise<ReplSession> {
    const session = new ReplSession(context, await openKernel(context))
    session.#listen()
    return session
  }

  get kernel(): OpenKernel {
    return this.#kernel
  }

  get record(): KernelRecord | undefined {
    return this.#kernel.connection.llmspell
  }

  /** Runs one input; errors are told and the session goes on. */
  async run(code: string, input: Input | undefined, source?: string): Promise<Outcome> {
    this.entered.push(code)
    const outcome = await this.#execute(code, input, source)
    if (outcome.exitCode !== EXIT.ok) this.failed = true
    return outcome
  }

  async isComplete(code: string): Promise<{ complete: true } | { complete: false; indent: string }> {
    try {
      const { status, indent } = await this.#kernel.client.isComplete(code, { language: this.language, timeoutMs: QUICK_MS })
      return status === 'incomplete' ? { complete: false, indent } : { complete: true }
    } catch {
      return { complete: true } // The kernel says more when the input is executed.
    }
  }

  async complete(code: string, cursor: number): Promise<{ matches: string[]; start: number; end: number }> {
    try {
      return await this.#kernel.client.complete(code, cursor, { language: this.language, timeoutMs: QUICK_MS })
    } catch {
      return { matches: [], start: cursor, end: cursor }
    }
  }

  close(): Promise<void> {
    return this.#kernel.client.close()
  }

  async #execute(code: string, input: Input | undefined, source: string | undefined): Promise<Outcome> {
    const { context } = this
    let outcome: Outcome = { status: 'error', exitCode: EXIT.failed }
    const inner = createSink(context, { result: true, quietExit: false })
    const sink: OutputSink = {
      ...inner,
      end(result) {
        outcome = result
        inner.end(result)
      },
    }
    try {
      if (this.#kernel.client.gone) await this.#reopen()
      await execute(
        context,
        this.#kernel,
        code,
        { language: this.language, cwd: context.cwd, stopOnError: false, ...(input && { input }), ...(source !== undefined && { source }) },
        sink,
      )
    } catch (error) {
      outcome = { status: 'error', exitCode: reportError(error, context.terminal, flag(context, 'json')) }
      if (codeOf(error) === 'kernel.died' && option(context, 'connect') === undefined)
        context.terminal.note('  The next input starts a new kernel.\n')
    }
    return outcome
  }

  async #reopen(): Promise<void> {
    this.#kernel = await openKernel(this.context)
    this.#listen()
  }

  /** Callbacks write after their cell has ended; what other clients cause is not ours to show. */
  #listen(): void {
    this.#kernel.client.onLateOutput((output) => this.onLateOutput?.(output))
  }

  /** For commands of the prompt: says what failed and goes on. */
  async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.failed = true
      this.context.terminal.note(`llmspell: ${messageOf(error)}\n`)
    }
  }
}
