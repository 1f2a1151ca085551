import type { KernelRecord } from '@llmspell/jupyter'

type Language = KernelRecord['language']

/** ANSI styles by the name of the group that matched. */
const STYLES: Record<string, string> = {
  comment: '\x1b[2m',
  string: '\x1b[32m',
  number: '\x1b[36m',
  keyword: '\x1b[35m',
  constant: '\x1b[34m',
}

/** What is still being typed may be open at its end. */
const LUA: readonly RegExp[] = [
  /(?<comment>--\[(?<c>=*)\[[\s\S]*?(?:\]\k<c>\]|$)|--[^\n]*)/,
  /(?<string>\[(?<s>=*)\[[\s\S]*?(?:\]\k<s>\]|$)|"(?:\\[\s\S]|[^"\\\n])*"?|'(?:\\[\s\S]|[^'\\\n])*'?)/,
  /(?<number>\b0[xX][\da-fA-F.]+(?:[pP][+-]?\d+)?|\b\d[\d.]*(?:[eE][+-]?\d+)?)/,
  /\b(?<keyword>and|break|do|else|elseif|end|for|function|goto|if|in|local|not|or|repeat|return|then|until|while)\b/,
  /\b(?<constant>true|false|nil)\b/,
]

const JS_KEYWORDS =
  'abstract|as|async|await|break|case|catch|class|const|continue|debugger|declare|default|delete|do|else|enum|export|extends|finally|for|from|function|get|if|implements|import|in|instanceof|interface|keyof|let|namespace|new|of|private|protected|public|readonly|return|satisfies|set|static|super|switch|this|throw|try|type|typeof|var|void|while|with|yield'

const JS: readonly RegExp[] = [
  /(?<comment>\/\*[\s\S]*?(?:\*\/|$)|\/\/[^\n]*)/,
  /(?<string>`(?:\\[\s\S]|[^`\\])*`?|"(?:\\[\s\S]|[^"\\\n])*"?|'(?:\\[\s\S]|[^'\\\n])*'?)/,
  /(?<number>\b0[xXoObB][\da-fA-F_]+n?|\b\d[\d_.]*(?:[eE][+-]?\d+)?n?)/,
  new RegExp(`\\b(?<keyword>${JS_KEYWORDS})\\b`),
  /\b(?<constant>true|false|null|undefined|NaN|Infinity)\b/,
]

const TOKENS: Record<Language, RegExp> = { lua: anyOf(LUA), javascript: anyOf(JS), typescript: anyOf(JS) }

/** The same text with colours; each line starts and ends without any, so that lines can be drawn one by one. */
export function highlight(text: string, language: Language): string {
  return text.replace(TOKENS[language], (whole: string, ...rest: unknown[]) => {
    const groups = rest.at(-1) as Record<string, string | undefined>
    const kind = Object.keys(STYLES).find((name) => groups[name] !== undefined)
    const style = kind === undefined ? '' : (STYLES[kind] as string)
    return whole
      .split('\n')
      .map((line) => (line ? `${style}${line}\x1b[0m` : line))
      .join('\n')
  })
}

function anyOf(patterns: readonly RegExp[]): RegExp {
  return new RegExp(patterns.map(({ source }) => source).join('|'), 'g')
}
