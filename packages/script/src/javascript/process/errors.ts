import { inspect } from 'node:util'
import type { ScriptError } from '../../engine.ts'
import { positionOf } from './stack-traces.ts'

/** Any thrown value as Jupyter shows it, with properties, causes and collected errors. */
export function describeError(thrown: unknown): ScriptError {
  if (!isError(thrown)) {
    const text = safely(() => inspect(thrown), 'a value that cannot be shown')
    return { ename: 'Error', evalue: text, traceback: [`Uncaught ${text}`] }
  }
  const ename = safely(() => String(thrown.name), 'Error')
  const evalue = safely(() => String(thrown.message), '')
  const position = safely(() => positionOf(thrown), undefined)
  const text = safely(() => unbracketed(inspect(thrown), thrown.stack), `${ename}: ${evalue}`)
  return { ename, evalue, traceback: text.split('\n'), ...(position && { position }) }
}

/** `inspect` puts an error without frames into brackets. */
function unbracketed(text: string, stack: string | undefined): string {
  return stack !== undefined && text.startsWith(`[${stack}]`) ? stack + text.slice(stack.length + 2) : text
}

function isError(value: unknown): value is Error {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]'
}

/** User code can be behind every property of an error. */
function safely<T>(read: () => T, otherwise: T): T {
  try {
    return read()
  } catch {
    return otherwise
  }
}
