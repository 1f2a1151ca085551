import type { Debugger } from 'node:inspector'
import type { StackFrame } from '@llmspell/debug'
import type { AgentLink } from './agent-link.ts'
import { isPastEnd, type KnownScript, type Scripts } from './scripts.ts'

export interface Frame {
  readonly id: number
  readonly shown: StackFrame
  /** Absent for what waits. */
  readonly call?: Debugger.CallFrame
  readonly script?: KnownScript
}

/** The user's own frame, inside of the text that they wrote. */
export function isShownFrame({ location }: Debugger.CallFrame, scripts: Scripts): boolean {
  const script = scripts.get(location.scriptId)
  return script !== undefined && !script.hidden && !isPastEnd(script, location)
}

/** The stack where the script stands still: the calls, then what waits for them. */
export class Frames {
  readonly #scripts: Scripts
  readonly #agent: AgentLink
  readonly #calls: Frame[]
  readonly #nextId: () => number
  /** Stack of the call that is awaited, when no frame of the user is left. */
  readonly #site: string
  #waiting: Promise<Frame[]> | undefined
  #known: Frame[] = []

  constructor(calls: readonly Debugger.CallFrame[], scripts: Scripts, agent: AgentLink, nextId: () => number, site = '') {
    this.#scripts = scripts
    this.#agent = agent
    this.#nextId = nextId
    this.#site = site
    this.#calls = calls.flatMap((call) => {
      const script = scripts.get(call.location.scriptId)
      return script && isShownFrame(call, scripts) ? [this.#callFrame(call, script)] : []
    })
  }

  get top(): Frame | undefined {
    return this.#calls[0]
  }

  byId(id: number): Frame | undefined {
    return this.#calls.find((frame) => frame.id === id) ?? this.#known.find((frame) => frame.id === id)
  }

  byCallFrame(callFrameId: string): Frame | undefined {
    return this.#calls.find((frame) => frame.call?.callFrameId === callFrameId)
  }

  async all(): Promise<StackFrame[]> {
    this.#waiting ??= this.#readWaiting()
    this.#known = await this.#waiting
    return [...this.#calls, ...this.#known].map((frame) => frame.shown)
  }

  #callFrame(call: Debugger.CallFrame, script: KnownScript): Frame {
    const id = this.#nextId()
    const place = script.positions.toOriginal({ line: call.location.lineNumber + 1, column: (call.location.columnNumber ?? 0) + 1 })
    const library = script.source.includes('/node_modules/')
    return {
      id,
      call,
      script,
      shown: {
        id,
        name: nameOf(call),
        source: script.source,
        line: place.line,
        column: place.column,
        hint: library ? 'subtle' : 'normal',
        canRestart: (call as { canBeRestarted?: boolean }).canBeRestarted === true,
      },
    }
  }

  async #readWaiting(): Promise<Frame[]> {
    const call = this.#calls[0]?.call
    if (!call) return this.#marked(this.#siteFrames())
    const found = await this.#agent.waiting(call.callFrameId)
    const frames: Frame[] = []
    for (const one of found) {
      const script = one.url === '' ? undefined : this.#scripts.find(one.url, one.hash)
      if (one.url === '') {
        const id = this.#nextId()
        frames.push({ id, shown: { id, name: one.name, line: 0, column: 0, hint: 'subtle' } })
      } else if (script && !script.hidden) {
        const id = this.#nextId()
        const unnamed = (await this.#scripts.places(script)).isInFunction(one) ? '(anonymous)' : '(top level)'
        const place = script.positions.toOriginal({ line: one.line, column: one.column })
        frames.push({ id, script, shown: { id, name: one.name || unnamed, source: script.source, ...place, hint: 'normal' } })
      }
    }
    return this.#marked(frames)
  }

  #marked(frames: Frame[]): Frame[] {
    if (frames.length === 0) return []
    const id = this.#nextId()
    return [{ id, shown: { id, name: 'await', line: 0, column: 0, hint: 'label' } }, ...frames]
  }

  #siteFrames(): Frame[] {
    return this.#site.split('\n').flatMap((text): Frame[] => {
      const found = /^\s+at (?:async )?(?:(.*) \()?(.+):(\d+):(\d+)\)?$/.exec(text)
      const script = found && this.#scripts.of(found[2] as string).at(-1)
      if (!script) return []
      const id = this.#nextId()
      const shown: StackFrame = {
        id,
        name: found[1] ?? '(top level)',
        source: script.source,
        line: Number(found[3]),
        column: Number(found[4]),
        hint: 'normal',
      }
      return [{ id, script, shown }]
    })
  }
}

function nameOf(call: Debugger.CallFrame): string {
  if (call.functionName !== '') return call.functionName
  const { functionLocation } = call
  const top = !functionLocation || (functionLocation.lineNumber === 0 && (functionLocation.columnNumber ?? 0) === 0)
  return top ? '(top level)' : '(anonymous)'
}
