import { LlmspellError } from '@llmspell/base'
import type { MimeBundle } from '../engine.ts'

/** The functions of `Display` that show one kind of output. */
export const DISPLAY_KINDS = ['html', 'markdown', 'svg', 'png', 'json', 'table', 'vega', 'latex', 'javascript'] as const
export type DisplayKind = (typeof DISPLAY_KINDS)[number]

const MIME_TYPE = /^[\w.+-]+\/[\w.+-]+$/

/** A plain object with nothing but MIME types for keys. */
export function isBundle(value: unknown): value is MimeBundle {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const keys = Object.keys(value)
  return keys.length > 0 && keys.every((key) => MIME_TYPE.test(key))
}

/** A bundle ready for the wire: bytes in base64, text that is no UTF-8 made readable, and always a text/plain. */
export function normalizeBundle(bundle: MimeBundle): MimeBundle {
  const normal: MimeBundle = {}
  for (const [type, value] of Object.entries(bundle)) {
    if (!ArrayBuffer.isView(value)) normal[type] = value
    else normal[type] = isTextual(type) ? bytesOf(value).toString() : bytesOf(value).toString('base64')
  }
  normal['text/plain'] ??= plainOf(normal)
  return normal
}

/** For clients that draw nothing: the text itself where that can be read, otherwise what there would be to see. */
function plainOf(bundle: MimeBundle): string {
  const { 'text/markdown': markdown, 'text/latex': latex, 'text/html': html, 'application/json': json } = bundle
  if (typeof markdown === 'string') return markdown
  if (typeof latex === 'string') return latex
  if (typeof html === 'string') return textOfHtml(html)
  if (json !== undefined) return JSON.stringify(json, null, 2)
  return `<${Object.keys(bundle).join(', ')}>`
}

/**
 * What `Display.<kind>(value)` shows, with a text for clients that draw nothing.
 *
 * @throws LlmspellError `argument.type` when the value is not of that kind.
 */
export function bundleOf(kind: DisplayKind, value: unknown): MimeBundle {
  switch (kind) {
    case 'html': {
      const html = text(kind, value)
      return { 'text/html': html, 'text/plain': textOfHtml(html) }
    }
    case 'markdown':
      return { 'text/markdown': text(kind, value), 'text/plain': text(kind, value) }
    case 'latex':
      return { 'text/latex': text(kind, value), 'text/plain': text(kind, value) }
    case 'javascript':
      return { 'application/javascript': text(kind, value), 'text/plain': '<JavaScript>' }
    case 'svg':
      return { 'image/svg+xml': text(kind, value), 'text/plain': '<SVG picture>' }
    case 'png':
      return pngBundle(value)
    case 'json':
      return { 'application/json': value, 'text/plain': JSON.stringify(value, null, 2) ?? 'null' }
    case 'vega':
      return vegaBundle(value)
    case 'table':
      return tableBundle(value)
  }
}

function text(kind: DisplayKind, value: unknown): string {
  if (typeof value === 'string') return value
  throw wrong(`Display.${kind} takes a string`)
}

function wrong(message: string): LlmspellError {
  return new LlmspellError(message, { code: 'argument.type' })
}

/** Good enough for a terminal; nothing is drawn from it. */
function textOfHtml(html: string): string {
  const plain = html
    .replaceAll(/<(script|style)\b[^>]*>[\s\S]*?<\/\1\s*>/gi, '')
    .replaceAll(/<(?:br|\/p|\/div|\/tr|\/h[1-6]|\/li)\b[^>]*>/gi, '\n')
    .replaceAll(/<[^>]*>/g, '')
  const named: Record<string, string> = { lt: '<', gt: '>', quot: '"', nbsp: ' ', amp: '&' }
  return plain.replaceAll(/&(lt|gt|quot|nbsp|amp);/g, (_, name: string) => named[name] ?? '').trim()
}

function isTextual(type: string): boolean {
  return type.startsWith('text/') || /(?:^application\/(?:json|javascript)|\+(?:json|xml))$/.test(type)
}

function bytesOf(view: ArrayBufferView): Buffer {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength)
}

const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

function pngBundle(value: unknown): MimeBundle {
  let bytes: Buffer
  if (typeof value === 'string') bytes = Buffer.from(value, 'base64')
  else if (ArrayBuffer.isView(value)) bytes = bytesOf(value)
  else throw wrong('Display.png takes the bytes of a PNG file, or base64 text')
  if (bytes.length < 24 || !bytes.subarray(0, 8).equals(PNG_SIGNATURE)) throw wrong('Display.png: this is not a PNG file')
  return { 'image/png': bytes.toString('base64'), 'text/plain': `<PNG picture, ${bytes.readUInt32BE(16)}x${bytes.readUInt32BE(20)}>` }
}

function vegaBundle(value: unknown): MimeBundle {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong('Display.vega takes a Vega-Lite specification')
  const schema = (value as { $schema?: unknown }).$schema
  const major = typeof schema === 'string' ? /vega-lite\/v(\d+)/.exec(schema)?.[1] : undefined
  return { [`application/vnd.vegalite.v${major ?? '5'}+json`]: value, 'text/plain': '<Vega-Lite chart>' }
}

function tableBundle(value: unknown): MimeBundle {
  if (!Array.isArray(value) && !(typeof value === 'object' && value !== null && Object.keys(value).length === 0)) {
    throw wrong('Display.table takes a list of rows')
  }
  const { header, rows } = cellsOf(Array.isArray(value) ? value : [])
  return { 'text/html': htmlTable(header, rows), 'text/markdown': markdownTable(header, rows), 'text/plain': plainTable(header, rows) }
}

function cellsOf(value: readonly unknown[]): { header: string[] | undefined; rows: string[][] } {
  const names = new Set<string>()
  for (const row of value) {
    if (typeof row === 'object' && row !== null && !Array.isArray(row)) for (const name of Object.keys(row)) names.add(name)
  }
  if (names.size === 0) return { header: undefined, rows: value.map((row) => (Array.isArray(row) ? row.map(cell) : [cell(row)])) }
  const header = [...names]
  return { header, rows: value.map((row) => header.map((name) => cell((row as Record<string, unknown> | null)?.[name]))) }
}

function cell(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function htmlTable(header: string[] | undefined, rows: string[][]): string {
  const line = (tag: string, cells: string[]): string => `<tr>${cells.map((text) => `<${tag}>${escapeHtml(text)}</${tag}>`).join('')}</tr>`
  const head = header ? `<thead>${line('th', header)}</thead>` : ''
  return `<table>${head}<tbody>${rows.map((row) => line('td', row)).join('')}</tbody></table>`
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function markdownTable(header: string[] | undefined, rows: string[][]): string {
  const width = Math.max(header?.length ?? 0, ...rows.map((row) => row.length), 1)
  const line = (cells: readonly string[]): string =>
    `| ${Array.from({ length: width }, (_, index) => (cells[index] ?? '').replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
  return [line(header ?? []), `|${' --- |'.repeat(width)}`, ...rows.map(line)].join('\n')
}

function plainTable(header: string[] | undefined, rows: string[][]): string {
  const all = header ? [header, ...rows] : rows
  const widths: number[] = []
  for (const row of all) for (const [index, text] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, text.length)
  const line = (cells: readonly string[]): string =>
    cells
      .map((text, index) => text.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd()
  const lines = all.map(line)
  if (header) lines.splice(1, 0, widths.map((width) => '-'.repeat(width)).join('  '))
  return lines.join('\n')
}
