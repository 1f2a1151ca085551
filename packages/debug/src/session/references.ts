import { LlmspellError } from '@llmspell/base'
import type { EngineLink } from '../engine-link.ts'

export interface FrameReference {
  kind: 'frame'
  link: EngineLink
  /** The target's. */
  id: number
}

export interface VariablesReference {
  kind: 'variables'
  link: EngineLink
  /** The target's. */
  reference: number
  /** How many there are, when the target told. */
  total?: number
  /** Shows what lies behind the largest page that is given at once. */
  from?: { start: number; filter?: 'indexed' | 'named' }
}

type Reference = FrameReference | VariablesReference

/** More than a client that never lets its script go on can make in a day. The oldest go first. */
const LIMIT = 1_000_000

/**
 * Numbers by which the client names frames and containers of all engines. None is used twice, so that a stale one is told from one that
 * never was.
 */
export class References {
  readonly #all = new Map<number, Reference>()
  #last = 0

  frame(link: EngineLink, id: number): number {
    return this.#add({ kind: 'frame', link, id })
  }

  /** 0 stays 0: nothing inside. */
  variables(link: EngineLink, reference: number, total: number | undefined, from?: VariablesReference['from']): number {
    if (reference === 0) return 0
    return this.#add({ kind: 'variables', link, reference, ...(total !== undefined && { total }), ...(from && { from }) })
  }

  resolveFrame(id: number): FrameReference {
    const found = this.#resolve(id, 'frameId')
    if (found.kind === 'frame') return found
    throw new LlmspellError(`${id} names no stack frame but variables`, { code: 'debug.bad_request', data: { frameId: id } })
  }

  resolveVariables(id: number): VariablesReference {
    const found = this.#resolve(id, 'variablesReference')
    if (found.kind === 'variables') return found
    throw new LlmspellError(`${id} names no variables but a stack frame`, { code: 'debug.bad_request', data: { variablesReference: id } })
  }

  /** The engine went on: what was seen of it is stale. */
  forget(link: EngineLink): void {
    for (const [id, reference] of this.#all) if (reference.link === link) this.#all.delete(id)
  }

  clear(): void {
    this.#all.clear()
  }

  #add(reference: Reference): number {
    if (this.#all.size >= LIMIT) this.#all.delete(this.#all.keys().next().value as number)
    this.#all.set(++this.#last, reference)
    return this.#last
  }

  #resolve(id: number, name: string): Reference {
    const found = this.#all.get(id)
    if (found) return found
    const data = { [name]: id }
    if (id < 1 || id > this.#last) throw new LlmspellError(`there is no ${name} ${id}`, { code: 'debug.bad_request', data })
    throw new LlmspellError(`${name} ${id} is of a stop that is over`, {
      code: 'debug.stale_reference',
      data,
      hint: 'Ask for the stack again.',
    })
  }
}
