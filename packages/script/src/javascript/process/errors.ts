import { inspect } from 'node:util'
import type { ScriptError } from '../../engine.ts'

/** Where an error came from: the script's name in V8 and for people. */
export interface ErrorOrigin {
  url: string
  source: string
}

const ENGINE = new URL('.', import.meta.url).href
const FRAME = /^\s+at /
/** Frames below the user's code: this engine, and how Node got to it. */
const BELOW = /\((?:node:inspector|node:internal\/|.*\/llmspell-engine)|^\s+at (?:node:internal\/|async node:internal\/)/

/** Any thrown value, as Jupyter shows it: without the frames of the engine, with causes and the like. */
export function describeError(thrown: unknown, origin?: ErrorOrigin): ScriptError {
  if (!isError(thrown)) {
    const text = safely(() => inspect(thrown), 'a value that cannot be shown')
    return { ename: 'Error', evalue: text, traceback: [`Uncaught ${text}`] }
  }
  const ename = safely(() => String(thrown.name), 'Error')
  const evalue = safely(() => String(thrown.message), '')
  const text = safely(() => inspect(thrown), `${ename}: ${evalue}`)
  const traceback = trim(text.split('\n'), origin)
  const position = origin && positionIn(traceback, origin)
  return { ename, evalue, traceback, ...(position && { position }) }
}

function isError(value: unknown): value is Error {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]'
}

function trim(lines: string[], origin: ErrorOrigin | undefined): string[] {
  const kept: string[] = []
  for (const line of lines) {
    if (FRAME.test(line) && (line.includes(ENGINE) || BELOW.test(line))) {
      // The frame that ends an object's properties carries its brace.
      const tail = /\)? (\{)$|( \]?\}?)$/.exec(line)?.[1]
      if (tail && kept.length > 0) kept[kept.length - 1] += ` ${tail}`
      continue
    }
    kept.push(origin && origin.url !== origin.source ? line.replaceAll(origin.url, origin.source) : line)
  }
  return kept
}

function positionIn(lines: string[], origin: ErrorOrigin): ScriptError['position'] {
  for (const line of lines) {
    if (!FRAME.test(line)) continue
    const at = line.lastIndexOf(`${origin.source}:`)
    const match = at < 0 ? null : /^(\d+):(\d+)/.exec(line.slice(at + origin.source.length + 1))
    if (match) return { source: origin.source, line: Number(match[1]), column: Number(match[2]) }
  }
  return undefined
}

/** User code can be behind every property of an error. */
function safely(read: () => string, otherwise: string): string {
  try {
    return read()
  } catch {
    return otherwise
  }
}
