import type { BoundBreakpoint, BreakpointSpec, DebugTargetEvent, FunctionBreakpointSpec } from '@llmspell/debug'
import { type HitCondition, hitConditionMet, parseHitCondition } from '@llmspell/debug/hit-condition'
import type { Frame, LuaEvent, LuaProbe, LuaVM } from '@llmspell/lua'
import type { LuaSources } from '../sources.ts'
import { type LogPiece, parseLogMessage } from './log-message.ts'

/** Bits of a word. */
const MAX_FUNCTIONS = 32

interface Point {
  readonly id: number
  readonly condition: string | undefined
  readonly hit: HitCondition | undefined
  readonly log: readonly LogPiece[] | undefined
  /** What is wrong with the specification. */
  readonly complaint: string | undefined
  hits: number
  /** Compiled conditions by instruction. */
  readonly compiled: Map<number, number>
  bound: BoundBreakpoint
}

interface LinePoint extends Point {
  readonly spec: BreakpointSpec
}

interface FunctionPoint extends Point {
  readonly spec: FunctionBreakpointSpec
  readonly path: readonly string[]
}

/** Breakpoints that hold at a place. */
export interface Hit {
  ids: number[]
  isFunction: boolean
}

export interface BreakpointParts {
  vm: LuaVM
  probe: LuaProbe
  sources: LuaSources
  tell(event: DebugTargetEvent): void
}

/** Line and function breakpoints of one namespace: where they are, and whether one that is met holds. */
export class Breakpoints {
  readonly #parts: BreakpointParts
  readonly #bySource = new Map<string, LinePoint[]>()
  /** What is set in the VM: by number of the source, then by line. */
  readonly #lines = new Map<number, Map<number, LinePoint[]>>()
  #functions: FunctionPoint[] = []
  #nextCondition = 1

  constructor(parts: BreakpointParts) {
    this.#parts = parts
  }

  // ---- lines ----

  set(source: string, specs: readonly BreakpointSpec[]): BoundBreakpoint[] {
    const former = new Map((this.#bySource.get(source) ?? []).map((point) => [point.id, point]))
    const points = specs.map((spec) => {
      const known = former.get(spec.id)
      former.delete(spec.id)
      return known && isSame(known.spec, spec) ? known : { ...this.#point(spec), spec }
    })
    for (const point of former.values()) this.#forget(point)
    if (points.length > 0) this.#bySource.set(source, points)
    else this.#bySource.delete(source)
    this.#bind(source, points)
    return points.map(({ bound }) => bound)
  }

  /** A chunk of this source has been loaded. */
  loaded(number: number): void {
    for (const points of [...this.#bySource.values(), this.#functions]) for (const point of points) this.#forget(point)
    const source = this.#parts.sources.name(number)
    const points = source === undefined ? undefined : this.#bySource.get(source)
    if (source !== undefined && points) {
      const before = points.map(({ bound }) => bound)
      this.#bind(source, points)
      this.#tellChanges(points, before)
    }
    this.lookForFunctions()
  }

  #bind(source: string, points: readonly LinePoint[]): void {
    const { vm, sources } = this.#parts
    const number = sources.find(source)
    const lines = number === undefined ? [] : vm.debugging.breakableLines(number)
    const byLine = new Map<number, LinePoint[]>()
    for (const point of points) {
      const line = lines[firstFrom(lines, point.spec.line)]
      point.bound = boundTo(point, line, lines.length > 0)
      if (line === undefined) continue
      const there = byLine.get(line)
      if (there) there.push(point)
      else byLine.set(line, [point])
    }
    if (number === undefined) return
    this.#lines.set(number, byLine)
    vm.debugging.setBreakpoints(number, [...byLine.keys()])
  }

  // ---- functions ----

  setFunctions(specs: readonly FunctionBreakpointSpec[]): BoundBreakpoint[] {
    for (const point of this.#functions) this.#forget(point)
    const former = new Map(this.#functions.map((point) => [point.id, point]))
    this.#functions = specs.map((spec) => {
      const known = former.get(spec.id)
      if (known && isSame(known.spec, spec)) return known
      return { ...this.#point(spec), spec, path: pathOf(spec.name) }
    })
    this.#bindFunctions()
    return this.#functions.map(({ bound }) => bound)
  }

  /** Functions may have appeared. */
  lookForFunctions(): void {
    if (this.#functions.every(({ bound }) => bound.verified)) return
    const before = this.#functions.map(({ bound }) => bound)
    this.#findFunctions()
    this.#tellChanges(this.#functions, before)
  }

  #bindFunctions(): void {
    const names = this.#functions.slice(0, MAX_FUNCTIONS).map(({ path }) => path.slice(-2).join('.'))
    this.#parts.vm.debugging.setFunctionBreakpoints(names)
    this.#findFunctions()
  }

  /** By the name that code gives a function, and by what the name stands for now. */
  #findFunctions(): void {
    const { vm, probe } = this.#parts
    const found = this.#functions.map(({ path }, bit) =>
      bit < MAX_FUNCTIONS && path.length > 0 ? probe.findFunction(path, bit) : undefined,
    )
    const bits = vm.debugging.boundFunctions
    for (const [bit, point] of this.#functions.entries()) {
      const { id } = point
      const complaint = point.complaint === undefined ? {} : { message: point.complaint }
      if (bit >= MAX_FUNCTIONS) point.bound = { id, verified: false, message: `there can be ${MAX_FUNCTIONS} function breakpoints at most` }
      else if (point.path.length === 0) point.bound = { id, verified: false, message: 'this is no name of a function' }
      else if ((bits & (1 << bit)) !== 0) point.bound = { id, verified: true, ...complaint }
      else if (found[bit] === 'built-in') point.bound = { id, verified: false, message: 'a built-in function has no code to stop in' }
      else if (found[bit] === 'other') point.bound = { id, verified: false, message: 'this is no function' }
      else point.bound = { id, verified: false, message: 'there is no function of this name yet' }
    }
  }

  // ---- what a stop asks ----

  /** Counts hits, prints log messages, and tells what the script has to stop for. */
  meet(event: LuaEvent): Hit | undefined {
    const ids: number[] = []
    let isFunction = false
    const frame = { thread: event.thread, level: 0 }
    if (event.atLine) {
      for (const point of this.#lines.get(event.origin)?.get(event.line) ?? []) if (this.#holds(point, event, frame)) ids.push(point.id)
    }
    for (const [bit, point] of event.entry === 0 ? [] : this.#functions.entries()) {
      if ((event.entry & (1 << bit)) === 0 || !this.#holds(point, event, frame)) continue
      isFunction = true
      ids.push(point.id)
    }
    return ids.length > 0 ? { ids, isFunction } : undefined
  }

  /** Would something stop here, hits aside? For a way back, where nothing is counted or printed. */
  wouldStop(origin: number, line: number, frame: Frame): number[] {
    const points = this.#lines.get(origin)?.get(line) ?? []
    return points.filter((point) => point.log === undefined && this.#isTrue(point, 0, frame)).map(({ id }) => id)
  }

  hasAny(origin: number, line: number): boolean {
    return this.#lines.get(origin)?.has(line) ?? false
  }

  #holds(point: Point, event: LuaEvent, frame: Frame): boolean {
    if (point.condition !== undefined && !this.#isTrue(point, event.place, frame)) return false
    point.hits++
    if (point.hit && !hitConditionMet(point.hit, point.hits)) return false
    if (!point.log) return true
    this.#print(point.log, event, frame)
    return false
  }

  /** One that fails is true, so that it is seen. Place 0: any instruction, nothing is kept. */
  #isTrue(point: Point, place: number, frame: Frame): boolean {
    const { probe, tell } = this.#parts
    if (point.condition === undefined) return true
    let compiled = point.compiled.get(place)
    if (compiled === undefined) {
      compiled = this.#nextCondition++
      point.compiled.set(place, compiled)
    }
    const result = probe.condition(compiled, frame, point.condition)
    if (place === 0) this.#forget(point)
    if (typeof result === 'boolean') return result
    tell({ type: 'output', category: 'important', text: `The condition \`${point.condition}\` cannot be evaluated: ${result}\n` })
    return true
  }

  #print(pieces: readonly LogPiece[], event: LuaEvent, frame: Frame): void {
    const { probe, sources, tell } = this.#parts
    const text = pieces.map((piece) => ('text' in piece ? piece.text : probe.logPart(piece.expression, frame))).join('')
    const source = sources.name(event.origin)
    tell({ type: 'output', category: 'console', text: `${text}\n`, line: event.line, ...(source !== undefined && { source }) })
  }

  // ---- life ----

  clear(): void {
    const { vm } = this.#parts
    for (const number of this.#lines.keys()) vm.debugging.setBreakpoints(number, [])
    for (const points of [...this.#bySource.values(), this.#functions]) for (const point of points) this.#forget(point)
    vm.debugging.setFunctionBreakpoints([])
    this.#lines.clear()
    this.#bySource.clear()
    this.#functions = []
  }

  /** The memory of the VM has become an older one, which may know others. */
  restore(): void {
    const { vm, sources } = this.#parts
    for (const name of sources.names()) {
      const number = sources.find(name)
      if (number !== undefined && !this.#bySource.has(name)) vm.debugging.setBreakpoints(number, [])
    }
    for (const [source, points] of this.#bySource) this.#bind(source, points)
    for (const points of [...this.#bySource.values(), this.#functions]) for (const point of points) point.compiled.clear()
    this.#bindFunctions()
  }

  #point(spec: { id: number; condition?: string; hitCondition?: string; logMessage?: string }): Point {
    const condition = spec.condition?.trim() === '' ? undefined : spec.condition
    const hitText = spec.hitCondition?.trim() ?? ''
    const hit = parseHitCondition(hitText)
    const log = spec.logMessage === undefined || spec.logMessage === '' ? undefined : parseLogMessage(spec.logMessage)
    const complaint = hitText !== '' && !hit ? `the hit condition \`${hitText}\` is not understood and not used` : undefined
    return { id: spec.id, condition, hit, log, complaint, hits: 0, compiled: new Map(), bound: { id: spec.id, verified: false } }
  }

  #forget(point: Point): void {
    for (const compiled of point.compiled.values()) this.#parts.probe.forgetCondition(compiled)
    point.compiled.clear()
  }

  #tellChanges(points: readonly Point[], before: readonly BoundBreakpoint[]): void {
    for (const [index, { bound }] of points.entries()) {
      const { verified, line, message } = before[index] ?? {}
      if (bound.verified !== verified || bound.line !== line || bound.message !== message)
        this.#parts.tell({ type: 'breakpoint', breakpoint: bound })
    }
  }
}

function boundTo({ id, spec, complaint }: LinePoint, line: number | undefined, isLoaded: boolean): BoundBreakpoint {
  if (line === undefined) {
    return { id, verified: false, message: isLoaded ? 'there is no code on this line or after it' : 'nothing of this source is loaded yet' }
  }
  const moved = line === spec.line ? undefined : `there is no code on line ${spec.line}`
  const message = [complaint, moved].filter((part) => part !== undefined).join('; ')
  return { id, verified: true, line, ...(message !== '' && { message }) }
}

/** Index of the first that is not below `line`. */
function firstFrom(lines: readonly number[], line: number): number {
  let low = 0
  let high = lines.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((lines[middle] as number) < line) low = middle + 1
    else high = middle
  }
  return low
}

function pathOf(name: string): string[] {
  const parts = name
    .trim()
    .replace(/\(\s*\)$/, '')
    .split(/[.:]/)
  return parts.every((part) => /^[A-Za-z_]\w*$/.test(part)) ? parts : []
}

function isSame(a: object, b: object): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
