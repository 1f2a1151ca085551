/** Where an error happened, as the kernel's reply tells it; 1-based. */
export interface Position {
  source: string
  line: number
  column?: number
}

/** The lines around an error, the line itself marked; `undefined` when the text has no such line. */
export function excerpt(code: string, { line, column }: Position, colors: boolean): string | undefined {
  const lines = code.split('\n')
  if (lines[line - 1] === undefined) return undefined
  const first = Math.max(1, line - 2)
  const last = Math.min(lines.length, line + 1)
  const width = String(last).length
  const rows: string[] = []
  for (let number = first; number <= last; number++) {
    const text = `${number === line ? '>' : ' '} ${String(number).padStart(width)} | ${lines[number - 1]}`.trimEnd()
    rows.push(colors && number !== line ? `\x1b[2m${text}\x1b[22m` : text)
    if (number === line && column !== undefined) rows.push(`  ${' '.repeat(width)} | ${pointer(lines[number - 1] as string, column)}`)
  }
  return rows.join('\n')
}

/** Tabs stay tabs, so that the mark stands below its place however wide they are shown. */
function pointer(line: string, column: number): string {
  return `${line.slice(0, column - 1).replace(/[^\t]/g, ' ')}^`
}
