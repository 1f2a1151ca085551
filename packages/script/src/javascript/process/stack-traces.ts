import { SourceMap, type SourceMapPayload } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { ScriptError } from '../../engine.ts'

export type Position = NonNullable<ScriptError['position']>

/** What is known of an evaluated script by its name in V8. */
interface KnownScript {
  source: string
  map: string | SourceMap | undefined
}

/** Name of the function that imports for cells. */
export const IMPORT_FRAME = 'llmspellImport'

const KNOWN_MAX = 5000
const STACK_FRAMES = 30
const scripts = new Map<string, KnownScript>()
const positions = new WeakMap<object, Position>()

/** Frames of the script of this name (in V8) are shown at `source`, with positions by the source map. */
export function rememberScript(url: string, source: string, map?: string): void {
  scripts.delete(url)
  scripts.set(url, { source, map })
  if (scripts.size > KNOWN_MAX) scripts.delete(scripts.keys().next().value as string)
}

/** Where in user code an error was made, when its stack tells. */
export function positionOf(error: Error): Position | undefined {
  // Reading the stack is what finds the place.
  return error.stack === undefined ? undefined : positions.get(error)
}

const ENGINE = new URL('..', import.meta.url).href

/**
 * Stack traces of user code show user code: no frames of this engine or of Node's insides, sources by the names people know, lines
 * of transformed TypeScript as they were written.
 */
export function installStackTraces(): void {
  // Room for the frames that are left out.
  Error.stackTraceLimit = STACK_FRAMES
  Error.prepareStackTrace = (error, frames) => {
    const lines: string[] = []
    for (const frame of frames) {
      const url = frame.getScriptNameOrSourceURL() ?? ''
      if (url.startsWith(ENGINE) || url.startsWith('node:internal/') || url === 'node:inspector' || isEntry(url, frame)) continue
      const place = placeOf(url, frame.getLineNumber(), frame.getColumnNumber())
      if (place && !positions.has(error)) positions.set(error, place)
      lines.push(`\n    at ${place ? shown(frame.toString(), url, place) : frame.toString()}`)
    }
    return header(error) + lines.join('')
  }
}

/** How the engine runs a plain script, and imports. */
function isEntry(url: string, frame: NodeJS.CallSite): boolean {
  const name = frame.getFunctionName()
  return name === IMPORT_FRAME || (url === 'node:vm' && name === 'runInThisContext') || url === 'node:diagnostics_channel'
}

function placeOf(url: string, line: number | null, column: number | null): Position | undefined {
  if (line === null || column === null) return undefined
  const script = scripts.get(url)
  if (!script) return url.startsWith('file://') ? { source: fileURLToPath(url), line, column } : undefined
  if (script.map === undefined) return { source: script.source, line, column }
  if (typeof script.map === 'string') script.map = new SourceMap(JSON.parse(script.map) as SourceMapPayload)
  const entry = script.map.findEntry(line - 1, column - 1)
  return 'originalLine' in entry
    ? { source: script.source, line: entry.originalLine + 1, column: entry.originalColumn + 1 }
    : { source: script.source, line, column }
}

/** `f (url:1:2)` with the place people know. */
function shown(text: string, url: string, { source, line, column }: Position): string {
  const at = text.lastIndexOf(url)
  if (at < 0) return text
  return `${text.slice(0, at)}${source}:${line}:${column}${text.endsWith(')') ? ')' : ''}`
}

function header(error: Error): string {
  try {
    return Error.prototype.toString.call(error)
  } catch {
    return 'Error'
  }
}
