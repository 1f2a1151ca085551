import { LlmspellError, messageOf } from '@llmspell/base'
import type { Dap } from '@llmspell/dap'
import type { EngineLink, EngineMember } from '../engine-link.ts'
import type { SessionContext } from './session-context.ts'

/** In every target: the main thread of a Lua state, the script's thread of JavaScript. */
const MAIN_THREAD = 1

export interface ThreadReference {
  link: EngineLink
  /** The target's. */
  threadId: number
}

/** The engines that a session is on, and one numbering of threads over all of them. */
export class SessionEngines {
  readonly #context: SessionContext
  readonly #links = new Map<EngineLink, Map<number, number>>()
  readonly #threads = new Map<number, ThreadReference>()
  #last = 0
  /** Where something happened last: what is asked without a frame is asked there. */
  #focus: EngineLink | undefined

  constructor(context: SessionContext) {
    this.#context = context
  }

  get links(): IterableIterator<EngineLink> {
    return this.#links.keys()
  }

  get size(): number {
    return this.#links.size
  }

  has(link: EngineLink): boolean {
    return this.#links.has(link)
  }

  /** Its main thread has its number at once: clients pause the first thread without asking for the list. */
  add(link: EngineLink): void {
    if (this.#links.has(link)) return
    this.#links.set(link, new Map())
    this.threadToClient(link, MAIN_THREAD)
  }

  remove(link: EngineLink): void {
    for (const id of this.#links.get(link)?.values() ?? []) this.#threads.delete(id)
    this.#links.delete(link)
    if (this.#focus === link) this.#focus = undefined
    this.#context.references.forget(link)
  }

  controls(link: EngineLink): boolean {
    return this.#links.has(link) && link.controller === this.#context.member
  }

  /** Refuses an observer what would change something. */
  requireControl(link: EngineLink): void {
    if (this.controls(link)) return
    const controller: EngineMember | undefined = link.controller
    throw new LlmspellError(`${controller?.name ?? 'another debugger'} controls ${link.engine.name}; this one observes`, {
      code: 'debug.observer',
      data: { engine: link.engine.id },
      hint: 'It takes over when the other one disconnects.',
    })
  }

  focusOn(link: EngineLink): void {
    this.#focus = link
  }

  /** Where to evaluate without a frame: where it stopped last, else where something runs, else the first namespace. */
  focused(): EngineLink {
    const links = [...this.#links.keys()]
    const focus = this.#focus ?? links.find((link) => link.stop) ?? links.find((link) => link.execution) ?? links.find(isShared) ?? links[0]
    if (focus) return focus
    throw new LlmspellError('there is no engine to ask: nothing runs', { code: 'debug.not_attached', hint: 'Run something first.' })
  }

  threadToClient(link: EngineLink, threadId: number): number {
    const own = this.#links.get(link)
    const known = own?.get(threadId)
    if (known !== undefined) return known
    const id = ++this.#last
    own?.set(threadId, id)
    this.#threads.set(id, { link, threadId })
    return id
  }

  threadEnded(link: EngineLink, threadId: number): void {
    const own = this.#links.get(link)
    const id = own?.get(threadId)
    if (id === undefined || threadId === MAIN_THREAD) return
    own?.delete(threadId)
    this.#threads.delete(id)
  }

  /** The engine was replaced: its threads but the main one are gone. */
  threadsLost(link: EngineLink): number[] {
    const lost: number[] = []
    for (const [threadId, id] of this.#links.get(link) ?? []) if (threadId !== MAIN_THREAD) lost.push(id)
    for (const id of lost) this.threadEnded(link, this.#threads.get(id)?.threadId ?? MAIN_THREAD)
    return lost
  }

  resolveThread(id: number): ThreadReference {
    const found = this.#threads.get(id)
    if (found) return found
    throw new LlmspellError(`there is no thread ${id}`, { code: 'debug.unknown_thread', data: { threadId: id } })
  }

  async threads(): Promise<Dap.Thread[]> {
    const each = [...this.#links.keys()].map(async (link) => {
      const several = this.#links.size > 1
      const threads = await link.target.threads()
      return threads.map(({ id, name }) => ({ id: this.threadToClient(link, id), name: threadName(link, id, name, several) }))
    })
    const answers = await Promise.allSettled(each)
    for (const answer of answers)
      if (answer.status === 'rejected') this.#context.logger.log('debug', 'an engine has no threads', { error: messageOf(answer.reason) })
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
  }
}

function isShared(link: EngineLink): boolean {
  return link.engine.namespace === 'shared'
}

function threadName(link: EngineLink, id: number, name: string, several: boolean): string {
  if (id === MAIN_THREAD) return link.engine.name
  return several ? `${link.engine.name}: ${name}` : name
}
