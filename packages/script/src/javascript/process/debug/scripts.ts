import { isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Positions, positionsOf, UNMOVED } from '../../source/positions.ts'
import { FILE_MARK, RUN_MARK, scriptUrl, TRANSFORMED } from '../../source/script-url.ts'
import type { RunRecord, RunRecords } from '../run-records.ts'
import { CatchPlaces } from './catch-places.ts'
import type { Protocol } from './protocol.ts'

/** The engine's own files. */
const ENGINE = new URL('../../..', import.meta.url).href
/** What the engine is made of, when it is not one file. */
const LIBRARIES = libraries()
/** What is never shown, for V8. Where errors of host calls are raised V8 must stop. */
export const HIDDEN_PATTERNS: readonly string[] = [
  '^node:',
  '^llmspell:(?!raise)',
  ...[ENGINE, ...LIBRARIES].map((url) => `^${escaped(url)}`),
]

/** A script of V8 as a debugger sees it. */
export interface KnownScript {
  readonly scriptId: string
  readonly url: string
  readonly hash: string
  /** What clients call it. */
  readonly source: string
  /** Other names of it. */
  readonly alias?: string
  /** Of Node or the engine. */
  readonly hidden: boolean
  readonly kind: 'cell' | 'file' | 'evaluated'
  readonly positions: Positions
  /** Where the text ends that is not the engine's addition; 0-based, as V8 counts. */
  readonly end: { lineNumber: number; columnNumber: number }
  /** Clients have been told of it. */
  announced: boolean
  readonly record?: RunRecord
  text?: string
  places?: CatchPlaces
}

export interface ScriptParsed {
  scriptId: string
  url: string
  hash: string
  endLine: number
  endColumn: number
  sourceMapURL?: string
  isModule?: boolean
  length?: number
}

/** At or behind the end of the text: where V8 stands when a script is done. */
export function isPastEnd(
  { end }: KnownScript,
  { lineNumber, columnNumber = 0 }: { lineNumber: number; columnNumber?: number | undefined },
): boolean {
  return lineNumber > end.lineNumber || (lineNumber === end.lineNumber && columnNumber >= end.columnNumber)
}

/** All scripts of the script thread. */
export class Scripts {
  readonly #protocol: Protocol
  readonly #records: RunRecords
  readonly #byId = new Map<string, KnownScript>()

  constructor(protocol: Protocol, records: RunRecords) {
    this.#protocol = protocol
    this.#records = records
  }

  get(scriptId: string): KnownScript | undefined {
    return this.#byId.get(scriptId)
  }

  /** Those that clients know by this name. */
  of(source: string): KnownScript[] {
    return [...this.#byId.values()].filter((script) => !script.hidden && (script.source === source || script.alias === source))
  }

  all(): Iterable<KnownScript> {
    return this.#byId.values()
  }

  /** Those that clients are told of. */
  *shown(): Iterable<KnownScript> {
    for (const script of this.#byId.values()) if (!script.hidden && script.announced) yield script
  }

  /** By what a stack trace tells: the name in V8, and the hash where V8 has made one. */
  find(url: string, hash: string): KnownScript | undefined {
    const named = [...this.#byId.values()].filter((script) => script.url === url)
    return named.find((script) => script.hash === hash) ?? named.at(-1)
  }

  /** Where a script catches. */
  async places(script: KnownScript): Promise<CatchPlaces> {
    script.places ??= new CatchPlaces(await this.text(script))
    return script.places
  }

  add(parsed: ScriptParsed): KnownScript {
    const script = this.#describe(parsed)
    this.#byId.set(parsed.scriptId, script)
    return script
  }

  /** What V8 evaluates. */
  async text(script: KnownScript): Promise<string> {
    script.text ??= (
      await this.#protocol.post<{ scriptSource: string }>('Debugger.getScriptSource', { scriptId: script.scriptId })
    ).scriptSource
    return script.text
  }

  /**
   * Finds out which executions the cells are from that ran before there was a debugger: several may have had one name.
   */
  async settle(): Promise<void> {
    for (const script of [...this.#byId.values()]) {
      if (script.hidden || script.record || script.url === '') continue
      const url = script.url.startsWith('file:') ? scriptUrl(pathOf(script.url) ?? '') : script.url
      const candidates = this.#records.named(url ?? '')
      if (candidates.length === 0) continue
      const text = await this.text(script)
      const record = candidates.find(({ prepared }) => text === prepared.code || text.startsWith(`${prepared.code}\n//# sourceURL=`))
      if (record) this.#byId.set(script.scriptId, this.#ofRecord(record, { ...script, endLine: 0, endColumn: 0 }))
    }
  }

  #describe(parsed: ScriptParsed): KnownScript {
    const { scriptId, url, hash, endLine, endColumn, sourceMapURL = '' } = parsed
    const mark = sourceMapURL.startsWith(RUN_MARK) ? this.#records.get(Number(sourceMapURL.slice(RUN_MARK.length))) : undefined
    if (mark) return this.#ofRecord(mark, parsed)
    const hidden = [ENGINE, 'node:', 'llmspell:', ...LIBRARIES].some((start) => url.startsWith(start))
    const added = sourceMapURL === FILE_MARK ? 1 : url.startsWith(TRANSFORMED) ? 2 : 0
    const end = added > 0 ? { lineNumber: endLine - added + 1, columnNumber: 0 } : { lineNumber: endLine, columnNumber: endColumn }
    const common = { scriptId, url, hash, hidden, announced: false, end }
    if (url === '') return { ...common, source: `VM${scriptId}`, kind: 'evaluated', positions: UNMOVED }
    const path = pathOf(url)
    // A file that was transformed here goes by its path; other people's maps lead to other files.
    const positions =
      url.startsWith(TRANSFORMED) && sourceMapURL.startsWith(DATA_URL) ? positionsOf({ code: '', map: decode(sourceMapURL) }) : UNMOVED
    return { ...common, source: path ?? url.replaceAll('%20', ' '), kind: path === undefined ? 'evaluated' : 'file', positions }
  }

  #ofRecord(record: RunRecord, { scriptId, url, hash }: ScriptParsed): KnownScript {
    const { prepared, source, debugSource } = record
    return {
      scriptId,
      url,
      hash,
      source: debugSource,
      ...(debugSource !== source && { alias: source }),
      hidden: false,
      kind: isAbsolute(source) ? 'file' : 'cell',
      positions: positionsOf(prepared),
      end: { lineNumber: prepared.code.split('\n').length, columnNumber: 0 },
      announced: false,
      record,
    }
  }
}

const DATA_URL = 'data:application/json;base64,'

function decode(url: string): string {
  return Buffer.from(url.slice(DATA_URL.length), 'base64').toString()
}

/** A file by its URL, without query, or by its path. */
function pathOf(url: string): string | undefined {
  try {
    if (url.startsWith('file:')) return fileURLToPath(url.replace(/[?#].*$/, ''))
  } catch {
    return undefined
  }
  const path = url.startsWith(TRANSFORMED) ? url.slice(TRANSFORMED.length) : url
  return isAbsolute(path) ? path.replaceAll('%20', ' ') : undefined
}

function libraries(): string[] {
  try {
    return [new URL('.', import.meta.resolve('@llmspell/base')).href]
  } catch {
    return []
  }
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
