import type { MimeBundle } from '@llmspell/jupyter'
import type { Terminal } from '../terminal.ts'
import { renderMarkdown } from './markdown.ts'

/** The best text for a terminal or a pipe that a display offers; what cannot be shown is named. */
export function bundleText(data: MimeBundle, terminal: Terminal): string {
  const markdown = data['text/markdown']
  // A table that was laid out as text reads better than its Markdown.
  const better = typeof data['text/plain'] === 'string' && typeof markdown === 'string' && TABLE.test(markdown)
  if (typeof markdown === 'string' && !better && terminal.colors('stdout')) return renderMarkdown(markdown)
  for (const type of [
    'text/plain',
    'text/markdown',
    'text/csv',
    'text/tab-separated-values',
    'application/xml',
    'image/svg+xml',
    'text/html',
    'text/latex',
  ])
    if (typeof data[type] === 'string') return data[type]
  if (data['application/json'] !== undefined) return JSON.stringify(data['application/json'], null, 2)
  return Object.entries(data)
    .map(([type, value]) => `[${type}, ${sizeOf(value)}]`)
    .join(' ')
}

/** The line between head and body of a table in Markdown. */
const TABLE = /^\|(?: *:?-+:? *\|)+ *$/m

/** Binary types come as base64. */
function sizeOf(value: unknown): string {
  const bytes = typeof value === 'string' ? Math.floor((value.length * 3) / 4) : JSON.stringify(value).length
  return bytes < 10_000 ? `${bytes} bytes` : `${Math.round(bytes / 1_000)} kB`
}
