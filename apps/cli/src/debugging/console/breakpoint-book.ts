import type { Dap } from '@llmspell/dap'

interface EntryBase {
  /** As people call it. */
  number: number
  condition?: string
  hitCondition?: string
  enabled: boolean
  /** Gone after it has stopped once. */
  temporary: boolean
  /** What the session says of it: its id, where it really is, why it is not bound. */
  bound?: Dap.Breakpoint
}

export interface LineEntry extends EntryBase {
  kind: 'line'
  file: string
  line: number
  logMessage?: string
}

export interface FunctionEntry extends EntryBase {
  kind: 'function'
  name: string
}

export type Entry = LineEntry | FunctionEntry

/** The breakpoints of one debugging, by their numbers; they outlive runs. */
export class BreakpointBook {
  readonly #entries = new Map<number, Entry>()
  #last = 0

  get entries(): Entry[] {
    return [...this.#entries.values()]
  }

  addLine(
    file: string,
    line: number,
    more: Pick<Partial<LineEntry>, 'condition' | 'hitCondition' | 'logMessage' | 'temporary'>,
  ): LineEntry {
    return this.#add<LineEntry>({ kind: 'line', number: ++this.#last, file, line, enabled: true, temporary: false, ...more })
  }

  addFunction(name: string, more: Pick<Partial<FunctionEntry>, 'condition' | 'temporary'>): FunctionEntry {
    return this.#add<FunctionEntry>({ kind: 'function', number: ++this.#last, name, enabled: true, temporary: false, ...more })
  }

  get(number: number): Entry | undefined {
    return this.#entries.get(number)
  }

  remove(entry: Entry): void {
    this.#entries.delete(entry.number)
  }

  /** Files that have a breakpoint, enabled or not. */
  files(): string[] {
    return [...new Set(this.entries.flatMap((entry) => (entry.kind === 'line' ? [entry.file] : [])))]
  }

  enabledIn(file: string): LineEntry[] {
    return this.entries.filter((entry): entry is LineEntry => entry.kind === 'line' && entry.file === file && entry.enabled)
  }

  functions(): FunctionEntry[] {
    return this.entries.filter((entry): entry is FunctionEntry => entry.kind === 'function' && entry.enabled)
  }

  /** A new session knows nothing of them yet. */
  unbind(): void {
    for (const entry of this.entries) delete entry.bound
  }

  bound(entry: Entry, breakpoint: Dap.Breakpoint | undefined): void {
    if (breakpoint) entry.bound = breakpoint
  }

  /** A `breakpoint` event. */
  changed(breakpoint: Dap.Breakpoint): void {
    const entry = this.#byId(breakpoint.id)
    if (entry) entry.bound = { ...entry.bound, ...breakpoint }
  }

  /** Those that made a thread stop. */
  hit(body: Dap.StoppedEventBody, frame: Dap.StackFrame | undefined): Entry[] {
    const ids = body.hitBreakpointIds
    if (ids && ids.length > 0) return ids.flatMap((id) => this.#byId(id) ?? [])
    if (!/breakpoint/.test(body.reason)) return []
    return this.entries.filter(
      (entry) =>
        entry.kind === 'line' && entry.enabled && entry.file === frame?.source?.path && (entry.bound?.line ?? entry.line) === frame.line,
    )
  }

  #add<E extends Entry>(entry: E): E {
    this.#entries.set(entry.number, entry)
    return entry
  }

  #byId(id: number | undefined): Entry | undefined {
    return id === undefined ? undefined : this.entries.find((entry) => entry.bound?.id === id)
  }
}
