import type { Runtime } from 'node:inspector'
import { LARGE, LONG_TEXT } from './agent.ts'

const VALUE_MAX = 1000
const TEXT_MAX = 1000
const PREVIEW_TEXT_MAX = 100

/** One line for a value, as developers know it from Node and browsers. Made of what V8 tells: no code of the script runs. */
export function showRemote(object: Runtime.RemoteObject, whole = false): string {
  const text = show(object, whole)
  return whole || text.length <= VALUE_MAX + 100 ? text : `${text.slice(0, VALUE_MAX)}…`
}

/** A stand-in for a long text that the agent has made. */
export function isLongText(object: Runtime.RemoteObject): boolean {
  return object.className === LONG_TEXT
}

/** A stand-in for a large Map or Set. */
export function isLarge(object: Runtime.RemoteObject): boolean {
  return object.className === LARGE
}

function nameOfLarge({ preview }: Runtime.RemoteObject): string {
  return preview?.properties.find((one) => one.name === 'text')?.value ?? ''
}

export function typeOf(object: Runtime.RemoteObject): string {
  if (isLongText(object)) return 'string'
  if (isLarge(object)) return nameOfLarge(object).replace(/\(.*/, '')
  if (object.subtype === 'null') return 'null'
  if (object.type === 'object') return object.className ?? 'object'
  return object.type
}

function show(object: Runtime.RemoteObject, whole: boolean): string {
  const { type, subtype, value, unserializableValue, description = '', preview } = object
  switch (type) {
    case 'undefined':
      return 'undefined'
    case 'string':
      return quoted(value as string, whole)
    case 'number':
    case 'boolean':
    case 'bigint':
      return unserializableValue ?? (value === undefined ? description : String(value))
    case 'symbol':
      return description
    case 'function':
      return signature(description)
  }
  if (subtype === 'null') return 'null'
  if (isLongText(object)) return longText(preview)
  if (isLarge(object)) return `${nameOfLarge(object)} {…}`
  if (subtype === 'error') return description.split('\n')[0] ?? 'Error'
  if (subtype === 'regexp' || subtype === 'date') return description
  return preview ? showPreview(preview, description) : description
}

export function quoted(text: string, whole = false): string {
  const cut = !whole && text.length > TEXT_MAX
  const body = (cut ? text.slice(0, TEXT_MAX) : text).replace(/[\\'\n\r\t\0\b\f\v\u2028\u2029]/g, escapeOf)
  return cut ? `'${body}…' (${text.length} characters)` : `'${body}'`
}

const ESCAPES: Record<string, string> = {
  '\\': '\\\\',
  "'": "\\'",
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\0': '\\0',
  '\b': '\\b',
  '\f': '\\f',
  '\v': '\\v',
}

function escapeOf(character: string): string {
  return ESCAPES[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

function longText(preview: Runtime.ObjectPreview | undefined): string {
  const find = (name: string): string => preview?.properties.find((one) => one.name === name)?.value ?? ''
  return `'${find('text').replace(/[\\'\n\r\t]/g, escapeOf)}…' (${find('length')} characters)`
}

/** `ƒ name(a, b)`, `class Name extends Base`. */
export function signature(source: string): string {
  const text = source.slice(0, 500)
  const flat = (part: string): string => part.replace(/\s+/g, ' ').trim().slice(0, 200)
  if (/^class\b/.test(text)) return flat(/^class[^{]*/.exec(text)?.[0] ?? text)
  const prefix = /^async\b/.test(text) ? 'async ƒ' : 'ƒ'
  const arrow = /^(?:async\s*)?(\([^)]*\)|[\w$]+)\s*=>/.exec(text)
  if (arrow) return flat(`${prefix} ${arrow[1]} =>`)
  const head = /^(?:async\s*)?(?:function\s*)?(\*?)\s*([^({]*\([^)]*\))/.exec(text)
  return head ? flat(`${prefix}${head[1]} ${head[2]}`) : flat(text.split('\n')[0] ?? '')
}

function showPreview(preview: Runtime.ObjectPreview, description: string): string {
  const { subtype, entries, properties, overflow } = preview
  if (subtype === 'proxy') return description
  if (subtype === 'internal#entry') return description
  if (subtype === 'array' || subtype === 'typedarray') {
    const size = /\((\d+)\)$/.exec(description)?.[1]
    const name = description.replace(/\(\d+\)$/, '')
    const shown = showElements(properties, subtype === 'array' ? Number(size ?? 0) : 0, overflow)
    return `${name === 'Array' ? `(${size ?? 0})` : description} [${shown.join(', ')}${overflow && shown.length < Number(size) ? ', …' : ''}]`
  }
  if (entries) {
    const shown = entries.map(({ key, value }) => (key ? `${showInner(key)} => ${showInner(value)}` : showInner(value)))
    return `${description} {${shown.join(', ')}${overflow ? ', …' : ''}}`
  }
  if (subtype === 'promise') {
    const state = properties.find((one) => one.name === '[[PromiseState]]')?.value ?? 'pending'
    const result = properties.find((one) => one.name === '[[PromiseResult]]')
    return `Promise {<${state}>${state !== 'pending' && result ? `: ${showProperty(result)}` : ''}}`
  }
  if (properties.length === 0 && subtype !== undefined) return description
  const shown = properties.filter((one) => !one.name.startsWith('[[')).map((one) => `${one.name}: ${showProperty(one)}`)
  return `${description === 'Object' ? '' : `${description} `}{${shown.join(', ')}${overflow ? ', …' : ''}}`
}

/** With what is left out between them, and behind them up to `length`. Of a typed array only its elements are of interest. */
function showElements(properties: readonly Runtime.PropertyPreview[], length: number, overflow: boolean): string[] {
  const shown: string[] = []
  let next = 0
  const skipTo = (index: number): void => {
    const missing = index - next
    if (missing > 0) shown.push(missing === 1 ? 'empty' : `empty × ${missing}`)
  }
  const elements = properties.filter((one) => /^\d+$/.test(one.name))
  for (const element of elements) {
    if (length > 0) skipTo(Number(element.name))
    shown.push(showProperty(element))
    next = Number(element.name) + 1
  }
  if (length === 0) return shown
  if (!overflow) skipTo(length)
  for (const one of properties) if (!/^\d+$/.test(one.name)) shown.push(`${one.name}: ${showProperty(one)}`)
  return shown
}

/** The first properties of a value inside another. */
function showInner(preview: Runtime.ObjectPreview): string {
  const { type, subtype, description = '' } = preview
  if (type === 'string') return quoted(description.slice(0, PREVIEW_TEXT_MAX))
  if (type === 'function') return 'ƒ'
  if (type === 'object' && subtype === undefined) return showPreview(preview, description)
  return description || (subtype === 'null' ? 'null' : type)
}

function showProperty({ type, subtype, value = '', valuePreview }: Runtime.PropertyPreview): string {
  if (type === 'accessor') return '(…)'
  if (type === 'string') return quoted(value)
  if (type === 'function') return 'ƒ'
  if (type === 'object' && valuePreview) return showInner(valuePreview)
  if (type === 'object' && value === 'Object' && subtype === undefined) return '{…}'
  return value || type
}
