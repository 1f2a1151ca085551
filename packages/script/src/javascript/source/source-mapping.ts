import { allGeneratedPositionsFor, eachMapping, LEAST_UPPER_BOUND, originalPositionFor, TraceMap } from '@jridgewell/trace-mapping'

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
    return found.line === null ? place : { line: found.line, column: found.column + 1 }
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
