import type { MimeBundle } from '../../engine.ts'
import type { ScriptThread } from './script-thread.ts'
import { isBundle, toBundle } from './show.ts'

export interface DisplayOptions {
  /** Under which `Display.update` replaces the output. */
  id?: string
  metadata?: Record<string, unknown>
}

type Show = (value: unknown, options?: DisplayOptions) => void

export function displays(thread: ScriptThread): { display: Show; Display: Record<string, unknown> } {
  const emit = (data: MimeBundle, options: DisplayOptions = {}, update = false): void => {
    const { id, metadata = {} } = options
    thread.check()
    thread.send({
      t: 'display',
      n: thread.owner,
      data,
      metadata,
      ...(id !== undefined && { displayId: String(id) }),
      ...(update && { update }),
    })
  }
  const whole = (value: unknown): MimeBundle | Promise<MimeBundle | undefined> =>
    isBundle(value) ? withText(value) : (toBundle(value) ?? { 'text/plain': 'undefined' })
  const later = (data: MimeBundle | Promise<MimeBundle | undefined>, options?: DisplayOptions, update?: boolean): void | Promise<void> =>
    data instanceof Promise ? data.then((bundle) => bundle && emit(bundle, options, update)) : emit(data, options, update)
  const as =
    (mime: string, plain?: (value: unknown) => string): Show =>
    (value, options) =>
      emit({ [mime]: value, 'text/plain': plain ? plain(value) : String(value) }, options)

  const Display = Object.freeze({
    html: as('text/html'),
    markdown: as('text/markdown'),
    svg: as('image/svg+xml'),
    png: ((value, options) => emit({ 'image/png': base64(value), 'text/plain': '<PNG image>' }, options)) as Show,
    json: as('application/json', (value) => JSON.stringify(value, null, 2)),
    table: ((rows, options) => emit(tableBundle(rows), options)) as Show,
    vega: as('application/vnd.vegalite.v5+json', () => '<Vega-Lite chart>'),
    latex: as('text/latex'),
    javascript: as('application/javascript'),
    update: (id: string, value: unknown, options?: DisplayOptions) => later(whole(value), { ...options, id }, true),
    clear: (wait = false) => {
      thread.check()
      thread.send({ t: 'clear', n: thread.owner, wait: wait === true })
    },
  })
  return { display: (value, options) => later(whole(value), options), Display }
}

function withText(bundle: MimeBundle): MimeBundle {
  if ('text/plain' in bundle) return bundle
  const first = Object.values(bundle)[0]
  return { ...bundle, 'text/plain': typeof first === 'string' ? first : JSON.stringify(first) }
}

function base64(value: unknown): string {
  if (typeof value === 'string') return value
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
  if (value instanceof ArrayBuffer) return Buffer.from(value).toString('base64')
  throw new TypeError('Display.png: expected bytes or base64 text')
}

/** Rows as objects (columns by name) or as lists. */
function tableBundle(rows: unknown): MimeBundle {
  if (!Array.isArray(rows)) throw new TypeError('Display.table: expected a list of rows')
  const lists = rows.every((row) => Array.isArray(row))
  const columns = lists ? [] : [...new Set(rows.flatMap((row) => (row !== null && typeof row === 'object' ? Object.keys(row) : [])))]
  const body = rows.map((row: unknown) =>
    Array.isArray(row) ? row.map(cellText) : columns.map((column) => cellText((row as Record<string, unknown> | null)?.[column])),
  )
  const head = columns.length > 0 ? `<thead><tr>${columns.map((name) => `<th>${escapeHtml(name)}</th>`).join('')}</tr></thead>` : ''
  const html = body.map((row) => `<tr>${row.map((text) => `<td>${escapeHtml(text)}</td>`).join('')}</tr>`).join('')
  return { 'text/html': `<table>${head}<tbody>${html}</tbody></table>`, 'text/plain': plainTable(columns, body) }
}

function plainTable(columns: readonly string[], body: readonly string[][]): string {
  const rows = columns.length > 0 ? [columns, ...body] : body
  const widths: number[] = []
  for (const row of rows) row.forEach((text, index) => (widths[index] = Math.max(widths[index] ?? 0, text.length)))
  const lines = rows.map((row) =>
    row
      .map((text, index) => text.padEnd(widths[index] as number))
      .join('  ')
      .trimEnd(),
  )
  if (columns.length > 0) lines.splice(1, 0, widths.map((width) => '-'.repeat(width)).join('  '))
  return lines.join('\n')
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}
