import { SourceMap, type SourceMapPayload } from 'node:module'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import type { ScriptError } from '../../engine.ts'

/** What is known of an evaluated script by its name in V8. */
interface KnownScript {
  source: string
  map: string | SourceMap | undefined
}

const KNOWN_MAX = 5000
const scripts = new Map<string, KnownScript>()

/** Errors in the script of this name (in V8) are shown at `source`, positions by the source map. */
export function rememberScript(url: string, source: string, map: string | undefined): void {
  scripts.delete(url)
  scripts.set(url, { source, map })
  if (scripts.size > KNOWN_MAX) scripts.delete(scripts.keys().next().value as string)
}

const ENGINE = new URL('..', import.meta.url).href
const FRAME = /^(\s+at )/
/** How Node got to the engine, and what it does around user code. */
const NODE_INTERNAL = /\(?node:(internal\/|inspector:)|at (async )?(Object\.|Module\.)?runInThisContext|^\s+at new Promise \(<anonymous>\)$/
const PLACE = /^(\s+at (?:.*\()?)((?:async )?)(.+?):(\d+):(\d+)(\).*|[^():]*)$/

/** Any thrown value as Jupyter shows it: without the frames of the engine; with properties, causes and collected errors. */
export function describeError(thrown: unknown): ScriptError {
  if (!isError(thrown)) {
    const text = safely(() => inspect(thrown), 'a value that cannot be shown')
    return { ename: 'Error', evalue: text, traceback: [`Uncaught ${text}`] }
  }
  const ename = safely(() => String(thrown.name), 'Error')
  const evalue = safely(() => String(thrown.message), '')
  const text = safely(() => inspect(thrown), `${ename}: ${evalue}`)
  const { lines, position } = trim(text.split('\n'))
  return { ename, evalue, traceback: lines, ...(position && { position }) }
}

function isError(value: unknown): value is Error {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]'
}

function trim(lines: string[]): { lines: string[]; position: ScriptError['position'] } {
  const kept: string[] = []
  let position: ScriptError['position']
  for (const line of lines) {
    if (!FRAME.test(line)) {
      kept.push(line)
      continue
    }
    if (line.includes(ENGINE) || NODE_INTERNAL.test(line)) {
      // The last frame carries the brace of the error's own properties.
      const brace = / (\{|\[|\]?\})$/.exec(line)?.[1]
      if (brace && kept.length > 0) kept[kept.length - 1] += ` ${brace}`
      continue
    }
    const frame = place(line)
    kept.push(frame.line)
    position ??= frame.position
  }
  return { lines: kept, position }
}

function place(line: string): { line: string; position?: NonNullable<ScriptError['position']> } {
  const match = PLACE.exec(line)
  if (!match) return { line }
  const [, head, async, url, row, column, tail] = match as unknown as [string, string, string, string, string, string, string]
  const script = scripts.get(url)
  let at = { line: Number(row), column: Number(column) }
  if (script?.map !== undefined) at = original(script, at)
  const source = script ? script.source : url.startsWith('file://') ? safely(() => fileURLToPath(url), url) : url
  const text = `${head}${async}${source}:${at.line}:${at.column}${tail}`
  return script || url.startsWith('file://') ? { line: text, position: { source, ...at } } : { line: text }
}

function original(script: KnownScript, at: { line: number; column: number }): { line: number; column: number } {
  if (typeof script.map === 'string') script.map = new SourceMap(JSON.parse(script.map) as SourceMapPayload)
  const entry = (script.map as SourceMap).findEntry(at.line - 1, at.column - 1)
  if (!('originalLine' in entry)) return at
  return { line: entry.originalLine + 1, column: entry.originalColumn + 1 }
}

/** User code can be behind every property of an error. */
function safely(read: () => string, otherwise: string): string {
  try {
    return read()
  } catch {
    return otherwise
  }
}
