import { LlmspellError, messageOf } from '@llmspell/base'
import type { EngineLink } from '../../engine-link.ts'
import type { SessionContext } from '../session-context.ts'
import type { AttachArguments } from './start-arguments.ts'

/** What an attached session debugs: one run, or every engine that there is and will be. */
export class Attachment {
  readonly args: AttachArguments
  /** The execution it is about; undefined: all. */
  readonly executionId: string | undefined
  readonly #context: SessionContext
  readonly #first: readonly EngineLink[]

  constructor(context: SessionContext, args: AttachArguments) {
    this.#context = context
    this.args = args
    const links = context.links().filter((link) => this.#concerns(link))
    const { run } = args
    if (run === undefined) {
      this.#first = links
      return
    }
    const running = links.find(({ execution }) => execution && (execution.executionId === run || execution.source === run))
    if (!running?.execution) throw nothingRuns(run, links)
    this.executionId = running.execution.executionId
    this.#first = [running]
  }

  /** Resolves when every engine is attached, with the breakpoints of this session where it controls. */
  async start(): Promise<void> {
    await Promise.all(this.#first.map((link) => this.#join(link)))
  }

  /** An engine came into being. */
  engineAdded(link: EngineLink): void {
    if (this.executionId === undefined && this.#concerns(link)) void this.#join(link)
  }

  /** Interrupts what runs under this session's control. */
  async interrupt(): Promise<void> {
    const { engines, host } = this.#context
    const running = [...engines.links].filter((link) => engines.controls(link) && (link.execution || link.stop))
    await Promise.all(running.map((link) => host.interrupt(link.engine.id)))
  }

  async leave(mode: 'continue' | 'stay'): Promise<void> {
    const { engines, member } = this.#context
    const links = [...engines.links]
    for (const link of links) engines.remove(link)
    await Promise.all(links.map((link) => link.leave(member, mode)))
  }

  /** Notebooks have no business with runs of others. */
  #concerns(link: EngineLink): boolean {
    return this.#context.kind === 'dap' || link.engine.namespace === 'shared'
  }

  async #join(link: EngineLink): Promise<void> {
    const { engines, member, logger, lifeCycle } = this.#context
    if (engines.has(link)) return
    engines.add(link)
    try {
      await link.join(member, { recordHistory: this.args.recordHistory })
      lifeCycle.engineJoined(link)
    } catch (error) {
      // The others can be debugged all the same.
      engines.remove(link)
      await link.leave(member, 'continue')
      logger.log('warn', 'an engine cannot be debugged', { engine: link.engine.id, error: messageOf(error) })
      this.#context.event('output', { category: 'important', output: `${link.engine.name} cannot be debugged: ${messageOf(error)}\n` })
    }
  }
}

function nothingRuns(run: string, links: readonly EngineLink[]): LlmspellError {
  const running = links.flatMap(({ execution }) => (execution ? [execution.source] : []))
  return new LlmspellError(`'${run.slice(0, 200)}' does not run in this kernel`, {
    code: 'debug.not_attached',
    data: { run: run.slice(0, 200) },
    hint:
      running.length > 0 ? `There runs: ${running.join(', ')}.` : 'Nothing runs there now; without "run" all of the kernel is debugged.',
  })
}
