import type { KernelRecord } from './extensions.ts'

const ENDINGS: Readonly<Record<string, KernelRecord['language']>> = {
  lua: 'lua',
  js: 'javascript',
  mjs: 'javascript',
  cjs: 'javascript',
  ts: 'typescript',
  mts: 'typescript',
  cts: 'typescript',
}

/** The language of a script file by its ending, in any case; `undefined` when that tells nothing. */
export function scriptLanguage(file: string): KernelRecord['language'] | undefined {
  const ending = /[^/\\]\.(\w+)$/.exec(file)?.[1]?.toLowerCase() ?? ''
  return Object.hasOwn(ENDINGS, ending) ? ENDINGS[ending] : undefined
}
