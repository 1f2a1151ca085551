import { LlmspellError, nearest } from '@llmspell/base'
import type { CatalogueParameter, FunctionDescription, ValueType } from './catalogue.ts'

/**
 * Checks the arguments of a call against the function's description and returns them ready for `run`: trailing absent ones
 * cut off, empty Lua tables turned into what the parameter asks for, and `null` taken as absent where absence is allowed.
 *
 * `module` is '' for functions that are globals themselves.
 *
 * @throws LlmspellError `argument.missing`, `argument.type`, `argument.value`, `argument.unknown_field` or `argument.too_many`;
 *   `data` holds `function`, `argument` (its path) and, where there is one, `suggestion`.
 */
export function checkArguments(module: string, description: FunctionDescription, args: readonly unknown[]): unknown[] {
  const where = fullName(module, description.name)
  const { parameters } = description
  let count = args.length
  while (count > 0 && args[count - 1] === undefined) count--
  if (count > parameters.length) {
    throw new LlmspellError(`${where} takes ${countOf(parameters.length)}, got ${count}`, {
      code: 'argument.too_many',
      data: { function: where, expected: parameters.length, got: count },
      hint: `Call it as ${signature(module, description)}.`,
    })
  }
  const checked: unknown[] = []
  for (const [index, parameter] of parameters.entries()) {
    const value = args[index]
    if (isAbsent(value, parameter)) {
      if (!parameter.optional && !accepts(parameter.type, 'nil')) {
        throw new LlmspellError(`${where}: argument ${index + 1} '${parameter.name}' (${typeText(parameter.type)}) is missing`, {
          code: 'argument.missing',
          data: { function: where, argument: parameter.name },
          hint: `Call it as ${signature(module, description)}.`,
        })
      }
      checked.push(undefined)
      continue
    }
    checked.push(checkValue(where, `argument ${index + 1} '${parameter.name}'`, parameter.name, parameter, value))
  }
  while (checked.length > 0 && checked.at(-1) === undefined) checked.pop()
  return checked
}

function checkValue(where: string, what: string, path: string, parameter: CatalogueParameter, given: unknown): unknown {
  const value = emptyTableAs(parameter.type, given)
  const types = typesOf(parameter.type)
  if (!types.some((type) => isOfType(value, type))) {
    throw new LlmspellError(`${where}: ${what} must be ${typeText(parameter.type)}, got ${describeValue(value)}`, {
      code: 'argument.type',
      data: { function: where, argument: path, expected: types, got: typeName(value) },
    })
  }
  if (parameter.values && typeof value === 'string' && !parameter.values.includes(value)) {
    const suggestion = nearest(value, parameter.values)
    const known = parameter.values.map((name) => `'${name}'`).join(', ')
    throw new LlmspellError(`${where}: ${what} must be one of ${known}, got '${value}'${didYouMean(suggestion)}`, {
      code: 'argument.value',
      data: { function: where, argument: path, values: parameter.values, ...(suggestion && { suggestion }) },
    })
  }
  if (parameter.fields && isPlainObject(value)) return checkFields(where, path, parameter.fields, value)
  return value
}

function checkFields(
  where: string,
  path: string,
  fields: readonly CatalogueParameter[],
  value: Record<string, unknown>,
): Record<string, unknown> {
  const known = new Map(fields.map((field) => [field.name, field]))
  for (const name of Object.keys(value)) {
    if (known.has(name)) continue
    const suggestion = nearest(name, known.keys())
    throw new LlmspellError(`${where}: unknown field '${name}' in '${path}'${didYouMean(suggestion)}`, {
      code: 'argument.unknown_field',
      data: { function: where, argument: `${path}.${name}`, known: [...known.keys()], ...(suggestion && { suggestion }) },
      hint: `Known fields: ${[...known.keys()].join(', ')}.`,
    })
  }
  const checked: Record<string, unknown> = {}
  for (const field of fields) {
    const fieldPath = `${path}.${field.name}`
    const given = Object.hasOwn(value, field.name) ? value[field.name] : undefined
    if (isAbsent(given, field)) {
      if (!field.optional && !accepts(field.type, 'nil')) {
        throw new LlmspellError(`${where}: field '${fieldPath}' (${typeText(field.type)}) is missing`, {
          code: 'argument.missing',
          data: { function: where, argument: fieldPath },
        })
      }
      continue
    }
    checked[field.name] = checkValue(where, `field '${fieldPath}'`, fieldPath, field, given)
  }
  return checked
}

/** `State.get(key: string, options?: object)`. */
export function signature(module: string, description: FunctionDescription): string {
  return `${fullName(module, description.name)}(${description.parameters.map((p) => `${p.name}${p.optional ? '?' : ''}: ${typeText(p.type)}`).join(', ')})`
}

function fullName(module: string, name: string): string {
  return module === '' ? name : `${module}.${name}`
}

export function typesOf(type: ValueType | readonly ValueType[]): readonly ValueType[] {
  return typeof type === 'string' ? [type] : type
}

/** `null` from JavaScript and a null inside a Lua table count as absent, except where any value is stored as it is. */
function isAbsent(value: unknown, parameter: CatalogueParameter): boolean {
  if (value === undefined) return true
  return value === null && (!accepts(parameter.type, 'any') || parameter.optional === true)
}

function accepts(type: ValueType | readonly ValueType[], wanted: ValueType): boolean {
  return typesOf(type).includes(wanted)
}

/** Lua has one empty table for both the empty list and the empty object. */
function emptyTableAs(type: ValueType | readonly ValueType[], value: unknown): unknown {
  if (accepts(type, 'any')) return value
  if (Array.isArray(value) && value.length === 0 && accepts(type, 'object') && !accepts(type, 'array')) return {}
  if (isPlainObject(value) && Object.keys(value).length === 0 && accepts(type, 'array') && !accepts(type, 'object')) return []
  return value
}

function isOfType(value: unknown, type: ValueType): boolean {
  switch (type) {
    case 'any':
      return true
    case 'nil':
      return value === undefined || value === null
    case 'string':
      return typeof value === 'string'
    case 'boolean':
      return typeof value === 'boolean'
    case 'number':
      return typeof value === 'number' || typeof value === 'bigint'
    case 'integer':
      return Number.isInteger(value) || typeof value === 'bigint'
    case 'array':
      return Array.isArray(value)
    case 'object':
      return isPlainObject(value)
  }
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value)
}

function typeName(value: unknown): string {
  if (value === undefined || value === null) return 'nil'
  if (Array.isArray(value)) return 'array'
  if (ArrayBuffer.isView(value)) return 'bytes'
  return typeof value === 'bigint' ? 'integer' : typeof value
}

function describeValue(value: unknown): string {
  const name = typeName(value)
  if (typeof value === 'string') return `string '${value.length > 40 ? `${value.slice(0, 40)}…` : value}'`
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return `${name} ${value}`
  return name
}

function typeText(type: ValueType | readonly ValueType[]): string {
  return typesOf(type).join(' or ')
}

function countOf(parameters: number): string {
  if (parameters === 0) return 'no arguments'
  return parameters === 1 ? 'at most 1 argument' : `at most ${parameters} arguments`
}

function didYouMean(suggestion: string | undefined): string {
  return suggestion === undefined ? '' : `; did you mean '${suggestion}'?`
}
