import { LlmspellError } from '@llmspell/base'

export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue }

/** Deeper than this no honest value is, and `JSON.stringify` itself would run out of stack. */
const MAX_DEPTH = 256

/**
 * JSON text of a value, refusing whatever JSON would silently change or drop: undefined, functions, NaN, cycles, dates,
 * class instances. Throws code `state.bad_value`, saying where in the value the trouble is.
 */
export function encodeJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) {
    checkLeaf(value, '')
  } else {
    check(value, '', [])
  }
  return JSON.stringify(value)
}

function check(value: object, path: string, parents: object[]): void {
  if (parents.includes(value)) throw refuse(path, 'refers back to a value that contains it', 'Store a copy without the cycle.')
  if (parents.length >= MAX_DEPTH) throw refuse(path, `is nested deeper than ${MAX_DEPTH} levels`)
  parents.push(value)
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) checkMember(value[index], `${path}[${index}]`, parents)
  } else {
    checkPlain(value, path)
    for (const key in value) {
      checkMember((value as Record<string, unknown>)[key], path === '' ? key : `${path}.${key}`, parents)
    }
  }
  parents.pop()
}

function checkMember(value: unknown, path: string, parents: object[]): void {
  if (typeof value === 'object' && value !== null) check(value, path, parents)
  else checkLeaf(value, path)
}

function checkLeaf(value: unknown, path: string): void {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'object':
      return
    case 'number':
      if (Number.isFinite(value)) return
      throw refuse(path, `is ${value}, which JSON does not have`, 'Store it as text or leave it out.')
    case 'bigint':
      throw refuse(path, 'is an integer larger than JSON holds exactly', 'Store it as text.')
    case 'undefined':
      throw path === ''
        ? refuse(path, 'is missing', 'To remove a key, use State.delete.')
        : refuse(path, 'is undefined', 'Leave it out or use null, which is JSON.null in Lua.')
    default:
      throw refuse(path, `is a ${typeof value}`, 'State holds data only: text, numbers, booleans, lists and tables.')
  }
}

function checkPlain(value: object, path: string): void {
  const prototype: unknown = Object.getPrototypeOf(value)
  // A plain object of another realm has a prototype of its own that is the end of its chain.
  if (prototype === null || Object.getPrototypeOf(prototype) === null) return
  const name = value.constructor?.name ?? 'object'
  // A Lua string that is no UTF-8 text comes so.
  if (ArrayBuffer.isView(value)) throw refuse(path, `is bytes (${name}), not text`, 'Encode them as text, in base64 for example.')
  throw refuse(
    path,
    `is a ${name}, not plain data`,
    name === 'Date' ? 'Store date.toISOString().' : 'Store its data as a plain object or list.',
  )
}

function refuse(path: string, what: string, hint?: string): LlmspellError {
  return new LlmspellError(`cannot store the value: ${path === '' ? 'it' : path} ${what}`, {
    code: 'state.bad_value',
    data: { path },
    ...(hint === undefined ? {} : { hint }),
  })
}
