import type { EventResult, HostFunction, LuaEvent, LuaFunction, LuaHistory, LuaVM } from '@llmspell/lua'
import type { Chain } from './program-view.ts'
import { Refusal } from './refusal.ts'

/** Memory larger than this is not looked through at every line of code that runs freely… */
const CHEAP_BYTES = 32 * 1024 * 1024
/** …but only after this many times as long as it took. */
const REST = 4

/** What becomes of code that stood still. */
export type Outcome = 'continue' | 'interrupt' | 'travel'

/** A place that can be gone back to. */
export interface Moment {
  readonly event: LuaEvent
  readonly chain: Chain
  /** Of the frame: orders frames of one thread. */
  readonly depth: number
}

export interface RecorderParts {
  vm: LuaVM
  history: LuaHistory<Moment>
  /** Bytes of memory above which nothing is recorded. */
  limit: number
  /** Stands still where the event says so. */
  meet(event: LuaEvent, chain: Chain): Outcome
  /** Stands still at a moment that was gone back to; `ids`: at breakpoints. */
  standAt(moment: Moment, ids: readonly number[]): Outcome
  /** The memory is an older one. */
  restored(): void
  /** Breakpoints that hold at a moment which the memory is at. */
  breakpointsAt(moment: Moment): readonly number[]
  /** Is there any at all? */
  hasBreakpoint(moment: Moment): boolean
  /** Tells the user, once each. */
  say(text: string): void
}

const EFFECTS =
  'Going back restores variables and the place in the script. What it did outside stays done: output, files, calls of the kernel.\n'
const BEGINNING = 'This is where the recorded history begins.\n'
const CUT = 'Earlier moments were forgotten to stay within the memory for history.\n'
const SPARSE = 'The memory of the script is large: while it runs freely, not every line is recorded.\n'
const TOO_LARGE = 'The memory of the script has outgrown the memory for history: nothing more is recorded while it is so large.\n'
const UNDER_BUILT_IN =
  'Lines here are not recorded, because a built-in function (such as table.sort or string.gsub) waits for them: ' +
  'going back leads to before its call.\n'

/**
 * Runs code so that it can go back: it is suspended at every line, where its memory is copied. Where it cannot be suspended, or has
 * raised an error, going back unwinds it first; that leaves no trace, as the memory is then replaced.
 */
export class Recorder {
  readonly #parts: RecorderParts
  #met: { event: LuaEvent; chain: Chain } | undefined
  /** Moments before this one may be gone to; set while it stands still. */
  #present: number | undefined
  #destination: { mode: 'stepBack' | 'reverseContinue'; index: number } | undefined
  #lastCost = 0
  #lastEnd = 0

  constructor(parts: RecorderParts) {
    this.#parts = parts
  }

  run(callee: LuaFunction | HostFunction, args: readonly unknown[]): unknown[] {
    const { vm, history } = this.#parts
    history.clear()
    this.#destination = undefined
    vm.debugging.record(true)
    let advance = (): unknown[] | undefined => vm.begin(callee, args)
    try {
      for (;;) {
        const results = this.#try(advance)
        if (results) return results
        this.#stand()
        advance = () => vm.proceed()
      }
    } finally {
      vm.debugging.record(false)
      history.clear()
      this.#met = undefined
    }
  }

  /** The coroutine that the code runs in, for those who must not see one. */
  standInOf(chain: Chain): number | undefined {
    return chain.at(-2)
  }

  /** Is this a moment to keep? Then `suspend` must be the answer of the event. */
  keeps(event: LuaEvent): boolean {
    const { vm, limit, say } = this.#parts
    if (!event.canYield || event.kind === 'exception') return false
    const size = vm.memory.buffer.byteLength
    if (size > limit) {
      say(TOO_LARGE)
      return false
    }
    const isDear = event.kind === 'line' && size > CHEAP_BYTES
    if (!isDear || performance.now() - this.#lastEnd >= REST * this.#lastCost) return true
    say(SPARSE)
    return false
  }

  suspend(event: LuaEvent, chain: Chain): EventResult {
    this.#met = { event, chain }
    return 'yield'
  }

  /** Code stands still inside an event. */
  standsUnrecorded(event: LuaEvent): void {
    this.#present = this.#parts.history.length
    if (!event.canYield && event.kind !== 'exception') this.#parts.say(UNDER_BUILT_IN)
  }

  /** Chooses where to go; the code that stands still then returns `travel`. */
  plan(mode: 'stepBack' | 'reverseContinue'): void {
    const present = this.#present ?? 0
    if (present < 1) throw new Refusal('debug.not_supported', 'nothing before this was recorded')
    this.#destination = { mode, index: mode === 'stepBack' ? this.#before(present) : present - 1 }
  }

  get isTravelling(): boolean {
    return this.#destination !== undefined
  }

  /** The line before: in the same function, or what called it. */
  #before(present: number): number {
    const { history } = this.#parts
    const here = history.note(present)
    if (!here) return present - 1
    for (let index = present - 1; index >= 0; index--) {
      const moment = history.note(index)
      if (moment?.event.thread === here.event.thread && moment.depth <= here.depth) return index
    }
    return present - 1
  }

  #try(advance: () => unknown[] | undefined): unknown[] | undefined {
    try {
      return advance()
    } catch (error) {
      if (!this.#destination) throw error
      return undefined
    }
  }

  #stand(): void {
    const { vm, meet } = this.#parts
    let outcome: Outcome = 'travel'
    if (!this.#destination) {
      const met = this.#met
      if (!met) throw new Error('suspended without an event')
      this.#record(met)
      outcome = meet(met.event, met.chain)
    }
    while (outcome === 'travel') outcome = this.#travel()
    this.#present = undefined
    if (outcome === 'interrupt') vm.control.attention()
  }

  #record({ event, chain }: { event: LuaEvent; chain: Chain }): void {
    const { vm, history } = this.#parts
    const start = performance.now()
    vm.flush()
    history.record({ event, chain, depth: vm.debugging.frameDepth(event.thread) })
    this.#present = history.length - 1
    this.#lastEnd = performance.now()
    this.#lastCost = this.#lastEnd - start
  }

  #travel(): Outcome {
    const { history, standAt, breakpointsAt, hasBreakpoint, say } = this.#parts
    const { mode, index } = this.#destination ?? { mode: 'stepBack', index: 0 }
    this.#destination = undefined
    say(EFFECTS)
    if (mode === 'stepBack') return standAt(this.#goTo(index), [])
    for (let at = index; at >= 0; at--) {
      const candidate = history.note(at)
      if (!candidate || !hasBreakpoint(candidate)) continue
      const ids = breakpointsAt(this.#goTo(at))
      if (ids.length > 0) return standAt(candidate, ids)
    }
    say(history.isCut ? BEGINNING + CUT : BEGINNING)
    return standAt(this.#goTo(0), [])
  }

  #goTo(index: number): Moment {
    const { history, restored } = this.#parts
    history.goBack(index)
    this.#present = index
    restored()
    const moment = history.note(index)
    if (!moment) throw new Error('the history is empty')
    return moment
  }
}
