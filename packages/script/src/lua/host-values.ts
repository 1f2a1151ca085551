import { LlmspellError } from '@llmspell/base'
import { LuaReference } from '@llmspell/lua'

/**
 * A value from Lua as plain data: the object that stands for null becomes `null`.
 *
 * @throws LlmspellError `argument.type` for what data cannot hold: functions, cycles, tables with other keys than 1…n or names.
 */
export function toData(value: unknown, nullObject: object, where: string, above: readonly object[] = []): unknown {
  if (value === nullObject) return null
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  if (value instanceof LuaReference) throw refused(where, `a ${value.constructor.name.replace('Lua', '').toLowerCase()}`)
  if (value instanceof Map) throw refused(where, 'a table whose keys are neither names nor 1 to n')
  if (above.includes(value)) throw refused(where, 'a table that contains itself')
  const inside = [...above, value]
  if (Array.isArray(value)) return value.map((item) => toData(item, nullObject, where, inside))
  const copy: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) define(copy, key, toData(item, nullObject, where, inside))
  return copy
}

/** Data as a value for Lua: null inside tables becomes the object that stands for it, alone it is nil. */
export function fromData(value: unknown, nullObject: object): unknown {
  return value === null ? undefined : inside(value, nullObject)
}

function inside(value: unknown, nullObject: object): unknown {
  if (value === null) return nullObject
  if (typeof value !== 'object' || value === nullObject) return value
  if (Array.isArray(value)) return value.map((item) => inside(item, nullObject))
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value
  const copy: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) if (item !== undefined) define(copy, key, inside(item, nullObject))
  return copy
}

/** Data may have a key `__proto__`. */
function define(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  else target[key] = value
}

function refused(where: string, what: string): LlmspellError {
  return new LlmspellError(`${where} cannot take ${what}`, { code: 'argument.type', data: { function: where } })
}
