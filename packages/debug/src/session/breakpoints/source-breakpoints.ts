import type { Dap, RequestContext } from '@llmspell/dap'
import type { BoundBreakpoint, BreakpointSpec } from '../../debug-target.ts'
import type { EngineLink } from '../../engine-link.ts'
import type { SessionContext } from '../session-context.ts'
import { BreakpointGroup, type WantedBreakpoint } from './breakpoint-group.ts'
import { isGiven, refusalOf } from './refusal.ts'

/** The breakpoints of a session by source. They outlive engines, restarts and lost namespaces. */
export class SourceBreakpoints {
  readonly #context: SessionContext
  readonly #groups = new Map<string, BreakpointGroup<BreakpointSpec>>()

  constructor(context: SessionContext) {
    this.#context = context
  }

  async set(source: string, wanted: readonly Dap.SourceBreakpoint[], request: RequestContext): Promise<Dap.Breakpoint[]> {
    let group = this.#groups.get(source)
    if (!group) {
      group = new BreakpointGroup(this.#context, (link, specs) => link.target.setBreakpoints(source, specs))
      this.#groups.set(source, group)
    }
    const answers = await group.set(
      wanted.map((one) => this.#wanted(source, one)),
      request,
    )
    // Cells get another name with each change of their text: a notebook would leave an empty group for each.
    if (group.size === 0 && this.#groups.get(source) === group) this.#groups.delete(source)
    return answers
  }

  async applyTo(link: EngineLink): Promise<void> {
    await Promise.all([...this.#groups.values()].map((group) => group.applyTo(link)))
  }

  async removeFrom(link: EngineLink): Promise<void> {
    await Promise.all([...this.#groups.values()].map((group) => group.removeFrom(link)))
  }

  bound(link: EngineLink, bound: BoundBreakpoint): void {
    for (const group of this.#groups.values()) group.bound(link, bound)
  }

  unbind(link: EngineLink): void {
    for (const group of this.#groups.values()) group.unbind(link)
  }

  has(id: number): boolean {
    for (const group of this.#groups.values()) if (group.has(id)) return true
    return false
  }

  /** Where they are now, as `debugInfo` tells it. */
  list(): Dap.SourceBreakpoints[] {
    const { client, sources } = this.#context
    return [...this.#groups]
      .filter(([, group]) => group.size > 0)
      .map(([source, group]) => ({
        source: sources.toClient(source).path ?? source,
        breakpoints: [...group.all].map(({ spec: { line, condition, hitCondition, logMessage }, bound }) => ({
          line: client.lineToClient(bound?.line ?? line),
          ...(condition !== undefined && { condition }),
          ...(hitCondition !== undefined && { hitCondition }),
          ...(logMessage !== undefined && { logMessage }),
        })),
      }))
  }

  clear(): void {
    this.#groups.clear()
  }

  #wanted(source: string, given: Dap.SourceBreakpoint): WantedBreakpoint<BreakpointSpec> {
    const { client } = this.#context
    const { condition, hitCondition, logMessage } = given
    const line = client.lineFromClient(given.line)
    const column = given.column === undefined ? undefined : client.columnFromClient(given.column)
    const spec = {
      line,
      ...(column !== undefined && { column }),
      ...(isGiven(condition) && { condition }),
      ...(isGiven(hitCondition) && { hitCondition }),
      ...(isGiven(logMessage) && { logMessage }),
    }
    const refusal = refusalOf(spec)
    return {
      spec,
      identity: JSON.stringify([line, column, spec.condition, spec.hitCondition, spec.logMessage]),
      ...(refusal !== undefined && { refusal }),
      place: { source, line, ...(column !== undefined && { column }) },
    }
  }
}
