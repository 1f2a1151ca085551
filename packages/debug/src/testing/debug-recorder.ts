import { LlmspellError } from '@llmspell/base'
import type { DebugTarget, DebugTargetEvent, Variable } from '../debug-target.ts'

type EventOf<T extends DebugTargetEvent['type']> = Extract<DebugTargetEvent, { type: T }>

/** Keeps what a target says and waits for what it will say. */
export class DebugRecorder {
  readonly target: DebugTarget
  readonly events: DebugTargetEvent[] = []
  readonly #taken = new Map<string, number>()
  readonly #waiting = new Set<() => void>()

  constructor(target: DebugTarget) {
    this.target = target
    target.onEvent((event) => {
      this.events.push(event)
      this.look()
    })
  }

  /** What is waited for may be there for another reason than an event. */
  look(): void {
    for (const look of [...this.#waiting]) look()
  }

  /** The next event of this kind that was not asked for yet. */
  async next<T extends DebugTargetEvent['type']>(type: T, ms: number): Promise<EventOf<T>> {
    const index = this.#taken.get(type) ?? 0
    this.#taken.set(type, index + 1)
    return this.until(`event ${type} number ${index + 1}`, () => this.all(type)[index], ms)
  }

  all<T extends DebugTargetEvent['type']>(type: T): EventOf<T>[] {
    return this.events.filter((event): event is EventOf<T> => event.type === type)
  }

  until<T>(what: string, find: () => T | undefined, ms: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = find()
        if (found === undefined) return
        clearTimeout(timer)
        this.#waiting.delete(look)
        resolve(found)
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(look)
        const data = { events: this.events.map((event) => JSON.stringify(event)) }
        reject(
          new LlmspellError(`timed out after ${ms} ms waiting for ${what}; there was ${data.events.join(' ')}`, { code: 'timeout', data }),
        )
      }, ms)
      this.#waiting.add(look)
      look()
    })
  }

  /** A variable of the top frame, in whichever cheap scope holds it. */
  async local(name: string, threadId: number, frame = 0): Promise<Variable & { scope: number }> {
    const { frames } = await this.target.stackTrace(threadId, frame, 1)
    const seen: string[] = []
    for (const scope of await this.target.scopes(frames[0]?.id ?? -1)) {
      if (scope.expensive) continue
      const variables = await this.target.variables(scope.reference, {})
      const found = variables.find((variable) => variable.name === name)
      if (found) return { ...found, scope: scope.reference }
      seen.push(...variables.map((variable) => variable.name))
    }
    throw new Error(`there is no variable ${name}; there are ${seen.join(', ')}`)
  }
}
