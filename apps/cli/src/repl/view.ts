import { textWidth } from './text-width.ts'

export interface Shown {
  /** Everything to write, from the start of the prompt to the end of the text. */
  readonly ansi: string
  /** Rows the text takes, and the cursor's place in them. */
  readonly rows: number
  readonly cursorRow: number
  readonly cursorColumn: number
}

export interface ViewOptions {
  /** Before the first line; may hold colours. */
  prompt: string
  promptWidth: number
  /** Before each further line; as wide as the prompt. */
  continuation: string
  columns: number
  highlight(text: string): string
}

/** Lays text out behind its prompts, wrapping where the terminal does. */
export function layOut(text: string, cursor: number, options: ViewOptions): Shown {
  const { promptWidth, columns } = options
  const lines = text.split('\n')
  const painted = options.highlight(text).split('\n')
  const before = text.slice(0, cursor).split('\n')
  let ansi = ''
  let rows = 0
  let cursorRow = 0
  let cursorColumn = 0
  for (const [index, line] of lines.entries()) {
    if (index === before.length - 1) {
      const offset = promptWidth + textWidth(before[index] as string)
      cursorRow = rows + Math.floor(offset / columns)
      cursorColumn = offset % columns
    }
    const width = promptWidth + textWidth(line)
    ansi += `${index === 0 ? options.prompt : options.continuation}${painted[index] ?? line}`
    // A terminal wraps only when the next character comes; this one makes it wrap, so that rows can be counted.
    if (width % columns === 0 && width > 0) ansi += ' \r'
    rows += Math.floor(width / columns) + 1
    if (index < lines.length - 1) ansi += '\r\n'
  }
  return { ansi, rows, cursorRow, cursorColumn }
}

/** Escape sequences that bring the cursor from one row and column to another, and from the end of what was written. */
export function place(shown: Shown): string {
  const up = shown.rows - 1 - shown.cursorRow
  return `${up > 0 ? `\x1b[${up}A` : ''}\r${shown.cursorColumn > 0 ? `\x1b[${shown.cursorColumn}C` : ''}`
}

/** Takes away what `shown` wrote, with the cursor where `place` put it. */
export function erase(shown: Shown): string {
  return `${shown.cursorRow > 0 ? `\x1b[${shown.cursorRow}A` : ''}\r\x1b[J`
}

/** Brings the cursor behind the last row. */
export function leave(shown: Shown): string {
  const down = shown.rows - 1 - shown.cursorRow
  return `${down > 0 ? `\x1b[${down}B` : ''}\r\n`
}
