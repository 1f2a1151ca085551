import { messageOf } from '@llmspell/base'
import type { Dap } from '@llmspell/dap'
import type { ExceptionFilter, ExceptionFilterSpec } from '../../debug-target.ts'
import type { EngineLink } from '../../engine-link.ts'
import type { SessionContext } from '../session-context.ts'
import { isGiven } from './refusal.ts'

const known: readonly string[] = ['caught', 'uncaught', 'tool', 'provider'] satisfies readonly ExceptionFilter[]

/** Which errors a session stops at. */
export class ExceptionFilters {
  readonly #context: SessionContext
  #all: readonly ExceptionFilterSpec[] = []

  constructor(context: SessionContext) {
    this.#context = context
  }

  /** Answers in the order of `filters`, then of `filterOptions`. */
  async set({ filters, filterOptions = [] }: Dap.SetExceptionBreakpointsArguments): Promise<Dap.Breakpoint[]> {
    const wanted: { filter: string; condition?: string }[] = [
      ...filters.map((filter) => ({ filter })),
      ...filterOptions.map(({ filterId, condition }) => ({ filter: filterId, ...(isGiven(condition) && { condition }) })),
    ]
    const byFilter = new Map<string, { filter: string; condition?: string }>()
    for (const one of wanted) {
      const same = byFilter.get(one.filter)
      // Twice: without a condition it stops in every case.
      if (known.includes(one.filter) && !(same && same.condition === undefined)) byFilter.set(one.filter, one)
    }
    this.#all = [...byFilter.values()] as ExceptionFilterSpec[]
    const { engines } = this.#context
    const problems: string[] = []
    await Promise.all(
      [...engines.links]
        .filter((link) => engines.controls(link))
        .map((link) => this.applyTo(link).catch((error: unknown) => problems.push(messageOf(error)))),
    )
    return wanted.map(({ filter }) => this.#answer(filter, problems[0]))
  }

  async applyTo(link: EngineLink): Promise<void> {
    const able = link.target.features.exceptionFilters
    await link.target.setExceptionFilters(this.#all.filter(({ filter }) => able.includes(filter)))
  }

  async removeFrom(link: EngineLink): Promise<void> {
    if (this.#all.length > 0) await link.target.setExceptionFilters([])
  }

  clear(): void {
    this.#all = []
  }

  #answer(filter: string, problem: string | undefined): Dap.Breakpoint {
    if (!known.includes(filter)) {
      const message = `there is no exception filter '${filter.slice(0, 100)}'; there are ${known.join(', ')}`
      return { verified: false, message, reason: 'failed' }
    }
    if (problem !== undefined) return { verified: false, message: problem, reason: 'failed' }
    const links = [...this.#context.engines.links]
    if (links.length === 0 || links.some((link) => link.target.features.exceptionFilters.includes(filter as ExceptionFilter)))
      return { verified: true }
    return { verified: false, message: `no engine here knows errors of kind '${filter}'`, reason: 'failed' }
  }
}
