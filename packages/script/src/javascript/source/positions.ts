import type { AppliedEdit } from './rewrite.ts'
import { type Place, SourceMapping } from './source-mapping.ts'

/** From the code of a cell or file as written to what V8 evaluates, and back. Lines and columns are 1-based, columns in UTF-16 units. */
export interface Positions {
  /** The first place at or behind this one that has code, where the code was transformed. Undefined behind the last. */
  toGenerated(place: Place): Place | undefined
  toOriginal(place: Place): Place
  /** Whether what stands at this generated place was written, not made up by a compiler. */
  isWritten(place: Place): boolean
}

type Step = Omit<Positions, 'isWritten'>

export interface PositionsOptions {
  /** What V8 evaluates. */
  code: string
  /** What was rewritten to `code`, when `edits` says that columns have moved. */
  script?: string
  edits?: readonly AppliedEdit[]
  /** Source map (JSON). */
  map?: string
  wrapped?: boolean
}

export const UNMOVED: Positions = { toGenerated: (place) => place, toOriginal: (place) => place, isWritten: () => true }

export function positionsOf({ code, script, edits, map, wrapped }: PositionsOptions): Positions {
  const steps: Step[] = []
  if (wrapped) steps.push(WRAPPED)
  const mapping = map === undefined ? undefined : new SourceMapping(map)
  const edited = edits && script !== undefined ? new Edited(script, code, edits) : undefined
  if (mapping) steps.push(mapping)
  if (edited) steps.push(edited)
  if (steps.length === 0) return UNMOVED
  return {
    toGenerated: (place) => steps.reduce<Place | undefined>((at, step) => at && step.toGenerated(at), place),
    toOriginal: (place) => steps.reduceRight((at, step) => step.toOriginal(at), place),
    isWritten: (place) => mapping?.isWritten(edited?.toOriginal(place) ?? place) ?? true,
  }
}

const WRAPPED: Step = {
  toGenerated: ({ line, column }) => ({ line, column: line === 1 ? column + 1 : column }),
  toOriginal: ({ line, column }) => ({ line, column: line === 1 ? Math.max(1, column - 1) : column }),
}

/** Edits keep lines and move columns. */
class Edited implements Step {
  readonly #before: number[]
  readonly #after: number[]
  readonly #edits: readonly AppliedEdit[]

  constructor(before: string, after: string, edits: readonly AppliedEdit[]) {
    this.#before = lineStarts(before)
    this.#after = lineStarts(after)
    this.#edits = edits
  }

  toGenerated({ line, column }: Place): Place {
    const offset = (this.#before[line - 1] ?? 0) + column - 1
    let moved = 0
    for (const { start, end, length } of this.#edits) {
      if (start >= offset) break
      if (offset < end) return this.#placeIn(this.#after, line, start + moved)
      moved += length - (end - start)
    }
    return this.#placeIn(this.#after, line, offset + moved)
  }

  toOriginal({ line, column }: Place): Place {
    const offset = (this.#after[line - 1] ?? 0) + column - 1
    let moved = 0
    for (const { start, end, length } of this.#edits) {
      if (start + moved >= offset) break
      if (offset < start + moved + length) return this.#placeIn(this.#before, line, start)
      moved += length - (end - start)
    }
    return this.#placeIn(this.#before, line, offset - moved)
  }

  /** On that line, whatever an edit over several lines says. */
  #placeIn(starts: readonly number[], line: number, offset: number): Place {
    return { line, column: Math.max(1, offset - (starts[line - 1] ?? 0) + 1) }
  }
}

function lineStarts(text: string): number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}
