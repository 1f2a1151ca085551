import type { CatalogueParameter, FunctionDescription, ModuleDescription, ValueType } from './catalogue.ts'
import { typesOf } from './check-arguments.ts'

/** The languages that signatures are written in; TypeScript reads the JavaScript ones. */
export type SignatureLanguage = 'lua' | 'javascript'

type Typed = Pick<CatalogueParameter, 'type' | 'fields' | 'values'>

const NAMES: Record<SignatureLanguage, Record<ValueType, string>> = {
  lua: {
    string: 'string',
    number: 'number',
    integer: 'integer',
    boolean: 'boolean',
    any: 'any',
    object: 'table',
    array: 'any[]',
    nil: 'nil',
  },
  javascript: {
    string: 'string',
    number: 'number',
    integer: 'number',
    boolean: 'boolean',
    any: 'any',
    object: 'Record<string, any>',
    array: 'any[]',
    nil: 'undefined',
  },
}

/** A type as LuaLS or TypeScript writes it: closed sets as literals, known fields inline. */
export function typeText(language: SignatureLanguage, { type, fields, values }: Typed): string {
  const parts = typesOf(type).map((name) => {
    if (name === 'string' && values) return values.map((value) => quote(language, value)).join(language === 'lua' ? '|' : ' | ')
    if (name === 'object' && fields) {
      const texts = fields.map((field) => `${field.name}${field.optional ? '?' : ''}: ${typeText(language, field)}`)
      return `{ ${texts.join(language === 'lua' ? ', ' : '; ')} }`
    }
    return NAMES[language][name]
  })
  return [...new Set(parts)].join(language === 'lua' ? '|' : ' | ')
}

/** What the call gives: a promise in JavaScript, unless it is the `Sync` form or immediate. */
export function resultText(language: SignatureLanguage, { result, immediate }: FunctionDescription, sync = false): string {
  if (language === 'lua') return result ? typeText('lua', result) : 'nil'
  const value = result ? typeText('javascript', result) : 'void'
  return sync || immediate ? value : `Promise<${value}>`
}

/** `State.get(key: string, options?: { scope?: string }): any`, as the language writes it. */
export function signatureText(
  language: SignatureLanguage,
  module: ModuleDescription,
  description: FunctionDescription,
  sync = false,
): string {
  const parameters = description.parameters.map((p) => `${p.name}${p.optional ? '?' : ''}: ${typeText(language, p)}`)
  const name = `${qualifiedName(module, description.name)}${sync && language === 'javascript' ? 'Sync' : ''}`
  const result = resultText(language, description, sync)
  const shown = language === 'lua' && !description.result ? '' : `: ${result}`
  return `${name}(${parameters.join(', ')})${shown}`
}

export function qualifiedName(module: ModuleDescription, name: string): string {
  return module.global ? name : `${module.name}.${name}`
}

export function inLanguage(module: ModuleDescription, language: SignatureLanguage): boolean {
  return module.languages === undefined || module.languages.includes(language)
}

function quote(language: SignatureLanguage, value: string): string {
  return language === 'lua' ? JSON.stringify(value) : `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
