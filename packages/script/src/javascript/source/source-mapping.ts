import {
  allGeneratedPositionsFor,
  decodedMappings,
  eachMapping,
  LEAST_UPPER_BOUND,
  originalPositionFor,
  TraceMap,
} from '@jridgewell/trace-mapping'

/** 1-based. */
export interface Place {
  line: number
  column: number
}

/** A source map of one source. */
export class SourceMapping {
  readonly #map: TraceMap
  readonly #source: string
  /** Of the last line that has a mapping. */
  #lines = 0

  constructor(json: string) {
    this.#map = new TraceMap(json)
    this.#source = this.#map.sources[0] ?? ''
    eachMapping(this.#map, ({ originalLine }) => {
      if (originalLine !== null && originalLine > this.#lines) this.#lines = originalLine
    })
  }

  toOriginal(place: Place): Place {
    const found = originalPositionFor(this.#map, { line: place.line, column: place.column - 1 })
    return found.line === null ? this.#before(place) : { line: found.line, column: found.column + 1 }
  }

  /** Whether this place stands in the source, too: the compiler has not made it up. */
  isWritten({ line, column }: Place): boolean {
    return originalPositionFor(this.#map, { line, column: column - 1 }).line !== null
  }

  /** Of what the compiler has made up: the last place before it that was written. */
  #before({ line, column }: Place): Place {
    const lines = decodedMappings(this.#map)
    for (let at = Math.min(line, lines.length) - 1; at >= 0; at--) {
      const found = lines[at]?.findLast((segment) => segment.length > 1 && (at < line - 1 || segment[0] < column))
      if (found && found.length > 1) return { line: (found[2] as number) + 1, column: (found[3] as number) + 1 }
    }
    return { line: 1, column: 1 }
  }

  toGenerated({ line, column }: Place): Place | undefined {
    const source = this.#source
    for (let at = line; at <= this.#lines; at++) {
      const places = allGeneratedPositionsFor(this.#map, {
        source,
        line: at,
        column: at === line ? column - 1 : 0,
        bias: LEAST_UPPER_BOUND,
      })
      const first = places.reduce<Place | undefined>((least, one) => {
        if (one.line === null) return least
        const place = { line: one.line, column: one.column + 1 }
        return least && (least.line < place.line || (least.line === place.line && least.column <= place.column)) ? least : place
      }, undefined)
      if (first) return first
    }
    return undefined
  }
}
