import { readFileSync } from 'node:fs'

/**
 * Samples in Markdown, by their fence:
 *
 * - ```` ```lua|ts|js|json|toml ```` whose first line is a comment `file: NAME` is written to that file;
 * - other ```` ```lua|ts|js ```` blocks are scripts: they must run without an error;
 * - ```` ```console ```` holds commands behind `$ ` and what they print; `…` stands for any text, alone on a line for any lines;
 * - ```` ```text output ```` is what the script before it prints;
 * - an info string with `manual: REASON` is shown to people only; the reason is printed.
 */
export type Sample =
  | { kind: 'file'; line: number; name: string; text: string }
  | { kind: 'script'; line: number; language: 'lua' | 'ts' | 'js'; text: string; output?: string }
  | { kind: 'console'; line: number; steps: { command: string; output: string }[] }
  | { kind: 'manual'; line: number; reason: string }

interface Fence {
  line: number
  info: string
  text: string
}

const SCRIPTS = new Set(['lua', 'ts', 'js', 'javascript'])
const FILES = new Set([...SCRIPTS, 'mjs', 'json', 'toml', 'ini'])

export function readSamples(file: string): Sample[] {
  const samples: Sample[] = []
  for (const fence of fences(readFileSync(file, 'utf8'))) {
    const [language = '', ...rest] = fence.info.split(/\s+/)
    const info = rest.join(' ')
    const manual = /^manual: (.+)$/.exec(info)
    const named = /^(?:--|\/\/|#) file: (\S+)/.exec(fence.text)
    if (manual) samples.push({ kind: 'manual', line: fence.line, reason: manual[1] as string })
    else if (named && FILES.has(language)) samples.push({ kind: 'file', line: fence.line, name: named[1] as string, text: fence.text })
    else if (SCRIPTS.has(language))
      samples.push({
        kind: 'script',
        line: fence.line,
        language: language === 'javascript' ? 'js' : (language as 'lua' | 'ts' | 'js'),
        text: fence.text,
      })
    else if (language === 'console') samples.push({ kind: 'console', line: fence.line, steps: steps(fence.text) })
    else if (language === 'text' && info === 'output') {
      const before = samples.at(-1)
      if (before?.kind !== 'script') throw new Error(`${file}:${fence.line}: output without a script before it`)
      before.output = fence.text
    }
  }
  return samples
}

function fences(markdown: string): Fence[] {
  const found: Fence[] = []
  let open: Fence | undefined
  const lines = markdown.split('\n')
  for (const [index, line] of lines.entries()) {
    const mark = /^```(.*)$/.exec(line)
    if (!mark) {
      if (open) open.text += `${line}\n`
    } else if (open) {
      found.push(open)
      open = undefined
    } else open = { line: index + 1, info: (mark[1] as string).trim(), text: '' }
  }
  if (open) throw new Error(`line ${open.line}: the code block is not closed`)
  return found
}

function steps(text: string): { command: string; output: string }[] {
  const found: { command: string; output: string }[] = []
  for (const line of text.split('\n')) {
    const last = found.at(-1)
    if (line.startsWith('$ ')) found.push({ command: line.slice(2).replace(/\s+# .*$/, ''), output: '' })
    else if (line.startsWith('> ') && last && last.output === '') last.command += `\n${line.slice(2)}`
    else if (last) last.output += `${line}\n`
  }
  return found
}

/** Whether printed text fits what a document shows. */
export function matches(shown: string, printed: string): boolean {
  const pattern = shown
    .trimEnd()
    .split('\n')
    .map((line) => (line.trim() === '…' ? '[\\s\\S]*' : line.trimEnd().split('…').map(literally).join('.*')))
    .join('\\n')
  return new RegExp(`^${pattern}$`).test(
    printed
      .split('\n')
      .map((line) => line.trimEnd())
      .join('\n')
      .trimEnd(),
  )
}

function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
