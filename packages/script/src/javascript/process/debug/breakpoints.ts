import { existsSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { BoundBreakpoint, BreakpointSpec, FunctionBreakpointSpec } from '@llmspell/debug'
import type { Place } from '../../source/source-mapping.ts'
import { type ConditionSpec, conditionOf, problemIn } from './conditions.ts'
import { functionsNamed } from './function-places.ts'
import type { Protocol } from './protocol.ts'
import { isPastEnd, type KnownScript, type Scripts } from './scripts.ts'

/** So many of one source are set as they come. */
const MANY = 256
/** Of more, those that V8 sets in this time: each costs it a walk over all the others and all the code of its function. */
const MANY_MS = 3000
/** Set together, between looks at the clock. */
const BATCH = 32

interface RawLocation {
  scriptId: string
  lineNumber: number
  columnNumber?: number | undefined
}

/** One breakpoint of a client. */
interface Entry {
  id: number
  /** By which the script thread calls it; kept when the client sends the same breakpoint again. */
  readonly slot: number
  readonly spec: ConditionSpec & { line?: number; column?: number }
  /** Of a function breakpoint. */
  readonly name?: string
  bound?: Place
  /** There were too many. */
  leftOut?: boolean
  /** Told to the client. */
  told?: string
}

/** Breakpoints asked for at one place: one condition for V8, which takes no two there. */
interface Group {
  readonly source: string
  readonly line: number
  readonly column: number | undefined
  readonly signature: string
  readonly entries: Entry[]
  readonly condition: string | undefined
  /** V8's names of it. */
  readonly ids: Set<string>
  /** Scripts that it is bound in by themselves. */
  readonly scripts: Set<string>
}

export interface BreakpointsHost {
  changed(breakpoint: BoundBreakpoint): void
  /** The agent forgets the hits of one. */
  reset(slot: number): void
}

/** The breakpoints of one debugger, bound in V8. */
export class Breakpoints {
  readonly #protocol: Protocol
  readonly #scripts: Scripts
  readonly #host: BreakpointsHost
  readonly #sources = new Map<string, Map<string, Group>>()
  #functions: Group[] = []
  readonly #groupOf = new Map<string, Group>()
  readonly #slots = new Map<number, Entry>()
  /** Scripts in which many are being set, or have been, by script and source. */
  readonly #many = new Map<string, Promise<void>>()
  #slot = 0

  constructor(protocol: Protocol, scripts: Scripts, host: BreakpointsHost) {
    this.#protocol = protocol
    this.#scripts = scripts
    this.#host = host
  }

  /** They need to be met before any script runs. */
  get needStarts(): boolean {
    return this.#hasFunctions || [...this.#sources.values()].some((groups) => groups.size > MANY)
  }

  get #hasFunctions(): boolean {
    return this.#functions.length > 0
  }

  async set(source: string, specs: readonly BreakpointSpec[]): Promise<BoundBreakpoint[]> {
    const old = this.#sources.get(source) ?? new Map<string, Group>()
    const wanted = new Map<string, BreakpointSpec[]>()
    for (const spec of specs) {
      const key = `${spec.line}:${spec.column ?? ''}`
      const there = wanted.get(key)
      if (there) there.push(spec)
      else wanted.set(key, [spec])
    }
    const groups = new Map<string, Group>()
    const added: Group[] = []
    const entries = new Map<BreakpointSpec, Entry>()
    for (const [key, some] of wanted) {
      const before = old.get(key)
      const signature = JSON.stringify(some.map(({ condition, hitCondition, logMessage }) => [condition, hitCondition, logMessage]))
      const group = before?.signature === signature ? before : this.#group(source, some, signature)
      if (group === before) old.delete(key)
      else added.push(group)
      for (const [index, spec] of some.entries()) {
        const entry = group.entries[index] as Entry
        entry.id = spec.id
        entries.set(spec, entry)
      }
      groups.set(key, group)
    }
    if (groups.size > 0) this.#sources.set(source, groups)
    else this.#sources.delete(source)
    for (const group of old.values()) this.#remove(group)
    const scripts = this.#scripts.of(source)
    this.#many.clear()
    if (groups.size > MANY) for (const script of scripts) await this.#bindMany(script, source, groups)
    else await Promise.all(added.flatMap((group) => [this.#bindByUrl(group), ...scripts.map((script) => this.#bindIn(script, group))]))
    return specs.map((spec) => this.#tell(entries.get(spec) as Entry, source))
  }

  async setFunctions(specs: readonly FunctionBreakpointSpec[], scripts: readonly KnownScript[]): Promise<BoundBreakpoint[]> {
    for (const group of this.#functions) this.#remove(group)
    this.#functions = specs.map((spec) => this.#group('', [spec], ''))
    await Promise.all(scripts.map((script) => this.#bindFunctions(script)))
    return this.#functions.map((group) => this.#tell(group.entries[0] as Entry, ''))
  }

  /** A script stands before its first line, or has just become known. Everything is sent to V8 before this returns, unless it must be read. */
  bind(script: KnownScript): Promise<unknown> {
    const jobs: Promise<unknown>[] = []
    for (const name of [script.source, script.alias]) {
      if (name === undefined) continue
      const groups = this.#sources.get(name)
      if (groups && groups.size > MANY) jobs.push(this.#bindMany(script, name, groups))
      else for (const group of groups?.values() ?? []) jobs.push(this.#bindIn(script, group))
    }
    if (this.#hasFunctions) jobs.push(this.#bindFunctions(script))
    return Promise.all(jobs)
  }

  /** V8 has bound one by its URL. */
  onResolved(breakpointId: string, location: RawLocation): void {
    const group = this.#groupOf.get(breakpointId)
    if (group) this.#bound(group, location)
  }

  /** Whether one of these is ours. */
  isHit(ids: readonly string[]): boolean {
    return ids.some((id) => this.#groupOf.has(id))
  }

  /** The breakpoints behind V8's names; `slots`: those whose conditions said so. */
  hit(ids: readonly string[], slots: readonly number[]): { ids: number[]; onlyFunctions: boolean } {
    const entries = ids.flatMap((id) => {
      const group = this.#groupOf.get(id)
      if (!group) return []
      return group.condition === undefined ? group.entries : group.entries.filter((entry) => slots.includes(entry.slot))
    })
    return {
      ids: [...new Set(entries.map((entry) => entry.id))],
      onlyFunctions: entries.length > 0 && entries.every((entry) => entry.name !== undefined),
    }
  }

  /** Where the breakpoint of a slot is. */
  placeOf(slot: number): { source?: string; line?: number } {
    const entry = this.#slots.get(slot)
    if (!entry) return {}
    for (const [source, groups] of this.#sources)
      for (const group of groups.values()) if (group.entries.includes(entry)) return { source, line: (entry.bound ?? group).line }
    return {}
  }

  #group(source: string, specs: readonly (BreakpointSpec | FunctionBreakpointSpec)[], signature: string): Group {
    const entries = specs.map((spec): Entry => {
      const entry = { id: spec.id, slot: ++this.#slot, spec, ...('name' in spec && { name: spec.name }) }
      this.#slots.set(entry.slot, entry)
      return entry
    })
    const first = specs[0] as BreakpointSpec
    return {
      source,
      line: first.line,
      column: first.column,
      signature,
      entries,
      condition: conditionOf(entries),
      ids: new Set(),
      scripts: new Set(),
    }
  }

  #remove(group: Group): void {
    for (const breakpointId of group.ids) {
      this.#groupOf.delete(breakpointId)
      this.#protocol.send('Debugger.removeBreakpoint', { breakpointId })
    }
    for (const { slot, spec } of group.entries) {
      this.#slots.delete(slot)
      if (spec.hitCondition !== undefined) this.#host.reset(slot)
    }
  }

  /** Files that are imported: V8 binds it before they run. */
  async #bindByUrl(group: Group): Promise<void> {
    if (!isAbsolute(group.source)) return
    await Promise.all(
      urlsOf(group.source).map(async (url) => {
        const result = await this.#post<{ breakpointId: string; locations: RawLocation[] }>('Debugger.setBreakpointByUrl', {
          url,
          lineNumber: group.line - 1,
          ...(group.column !== undefined && { columnNumber: group.column - 1 }),
          ...(group.condition !== undefined && { condition: group.condition }),
        })
        if (!result) return
        this.#own(group, result.breakpointId)
        for (const location of result.locations) this.#bound(group, location)
      }),
    )
  }

  /** Once for each script, however often it is asked for. */
  #bindMany(script: KnownScript, source: string, groups: ReadonlyMap<string, Group>): Promise<void> {
    const key = `${script.scriptId} ${source}`
    const known = this.#many.get(key)
    if (known) return known
    const job = this.#bindWhileTime(script, [...groups.values()])
    this.#many.set(key, job)
    return job
  }

  async #bindWhileTime(script: KnownScript, groups: readonly Group[]): Promise<void> {
    const until = performance.now() + MANY_MS
    for (let from = 0; from < groups.length; from += BATCH) {
      const batch = groups.slice(from, from + BATCH)
      if (performance.now() < until) await Promise.all(batch.map((group) => this.#bindIn(script, group, true)))
      else for (const group of batch) this.#leaveOut(group)
    }
  }

  #leaveOut(group: Group): void {
    for (const entry of group.entries) {
      if (entry.bound) continue
      entry.leftOut = true
      if (entry.told !== undefined) this.#retell(entry, group.source)
    }
  }

  async #bindIn(script: KnownScript, group: Group, evenByUrl = false): Promise<void> {
    // Bound by its URL.
    if (!evenByUrl && script.record === undefined && script.kind === 'file' && urlsOf(script.source).includes(script.url)) return
    if (group.scripts.has(script.scriptId)) return
    group.scripts.add(script.scriptId)
    const place = script.positions.toGenerated({ line: group.line, column: group.column ?? 1 })
    if (!place) return
    await this.#bindAt(group, {
      scriptId: script.scriptId,
      lineNumber: place.line - 1,
      ...((group.column !== undefined || place.line !== group.line) && { columnNumber: place.column - 1 }),
    })
  }

  async #bindAt(group: Group, location: RawLocation): Promise<void> {
    const result = await this.#post<{ breakpointId: string; actualLocation: RawLocation }>('Debugger.setBreakpoint', {
      location,
      ...(group.condition !== undefined && { condition: group.condition }),
    })
    if (!result) return
    const script = this.#scripts.get(location.scriptId)
    // Slid off the end of the cell, to what the engine has added.
    if (script && isPastEnd(script, result.actualLocation)) {
      this.#protocol.send('Debugger.removeBreakpoint', { breakpointId: result.breakpointId })
      return
    }
    this.#own(group, result.breakpointId)
    this.#bound(group, result.actualLocation)
  }

  async #bindFunctions(script: KnownScript): Promise<void> {
    if (script.hidden) return
    const code = await this.#scripts.text(script)
    await Promise.all(
      this.#functions.flatMap((group) => {
        if (group.scripts.has(script.scriptId)) return []
        group.scripts.add(script.scriptId)
        const { name } = group.entries[0] as Entry
        return functionsNamed(code, name ?? '').map((place) =>
          this.#bindAt(group, { scriptId: script.scriptId, lineNumber: place.line - 1, columnNumber: place.column - 1 }),
        )
      }),
    )
  }

  /** Undefined: V8 knows no such place. */
  async #post<T>(method: string, params: object): Promise<T | undefined> {
    try {
      return await this.#protocol.post<T>(method, params)
    } catch (error) {
      if ((error as Error).name === 'ProtocolError') return undefined
      throw error
    }
  }

  #own(group: Group, breakpointId: string): void {
    group.ids.add(breakpointId)
    this.#groupOf.set(breakpointId, group)
  }

  #bound(group: Group, { scriptId, lineNumber, columnNumber = 0 }: RawLocation): void {
    const script = this.#scripts.get(scriptId)
    if (!script || isPastEnd(script, { lineNumber, columnNumber })) return
    const place = script.positions.toOriginal({ line: lineNumber + 1, column: columnNumber + 1 })
    for (const entry of group.entries) {
      entry.bound = place
      if (entry.told !== undefined) this.#retell(entry, group.source)
    }
  }

  #retell(entry: Entry, source: string): void {
    const before = entry.told
    const breakpoint = this.#tell(entry, source)
    if (entry.told !== before) this.#host.changed(breakpoint)
  }

  #tell(entry: Entry, source: string): BoundBreakpoint {
    const { id, bound, spec } = entry
    const problem = problemIn(spec)
    const breakpoint: BoundBreakpoint = {
      id,
      verified: bound !== undefined,
      ...(bound && { line: bound.line }),
      ...(bound && spec.column !== undefined && { column: bound.column }),
    }
    const message = problem ?? (bound ? undefined : this.#whyUnbound(entry, source))
    if (message !== undefined) breakpoint.message = message
    entry.told = JSON.stringify(breakpoint)
    return breakpoint
  }

  #whyUnbound({ name, leftOut }: Entry, source: string): string {
    if (leftOut) return 'too many breakpoints in one function: V8 would take too long to set them all, so that this one is left out'
    if (name !== undefined) return `no function ${name} has been loaded yet; it binds when there is one`
    if (this.#scripts.of(source).length > 0) return 'no code at this line or below it'
    if (isAbsolute(source) && !source.includes('llmspell-cells-') && !existsSync(source)) return `there is no file ${source}`
    return 'not loaded yet; it binds when the code is loaded'
  }
}

/** Names that V8 has for an imported file: Node names those whose types it strips by their paths. */
function urlsOf(path: string): string[] {
  const { href } = pathToFileURL(path)
  return /\.[cm]?ts$/.test(path) ? [href, path] : [href]
}
