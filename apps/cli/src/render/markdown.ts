/** Markdown with the terminal's own means: headings bold, emphasis, code, lists and quotes; all else as it stands. */
export function renderMarkdown(markdown: string): string {
  let fenced = false
  return markdown
    .split('\n')
    .map((line) => {
      if (/^\s*(```|~~~)/.test(line)) {
        fenced = !fenced
        return undefined
      }
      return fenced ? `  \x1b[36m${line}\x1b[39m` : renderLine(line)
    })
    .filter((line) => line !== undefined)
    .join('\n')
}

function renderLine(line: string): string {
  const heading = /^#{1,6}\s+(.*)$/.exec(line)
  if (heading) return `\x1b[1m${inline(heading[1] as string)}\x1b[22m`
  const quote = /^>\s?(.*)$/.exec(line)
  if (quote) return `\x1b[2m│ ${inline(quote[1] as string)}\x1b[22m`
  const item = /^(\s*)[-*+]\s+(.*)$/.exec(line)
  if (item) return `${item[1]}• ${inline(item[2] as string)}`
  return /^\s*([-*_])(\s*\1){2,}\s*$/.test(line) ? '─'.repeat(40) : inline(line)
}

/** Code spans are taken out first: nothing inside them is markup. */
function inline(text: string): string {
  return text
    .split(/(`[^`]+`)/)
    .map((part) =>
      part.startsWith('`') && part.endsWith('`') && part.length > 1
        ? `\x1b[36m${part.slice(1, -1)}\x1b[39m`
        : part
            .replace(/\*\*(.+?)\*\*|__(.+?)__/g, (_, a, b) => `\x1b[1m${a ?? b}\x1b[22m`)
            .replace(/(?<![\w*])\*([^*\s][^*]*)\*(?!\w)|(?<!\w)_([^_\s][^_]*)_(?!\w)/g, (_, a, b) => `\x1b[3m${a ?? b}\x1b[23m`)
            .replace(/\[([^\]]+)\]\(([^)]+)\)/g, (_, label, url) => `${label} (\x1b[4m${url}\x1b[24m)`),
    )
    .join('')
}
