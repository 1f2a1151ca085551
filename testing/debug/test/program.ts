import { writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'

export type Language = 'lua' | 'javascript' | 'typescript'

export const languages: readonly Language[] = ['lua', 'typescript', 'javascript']

/** A program of one meaning in two languages; JavaScript is the TypeScript one without its types. */
export interface Texts {
  lua: string
  typescript: string
}

/** A script to be debugged, whose lines are known by name. */
export interface Program {
  path: string
  text: string
  /** The 1-based line that ends in the comment `@name`. */
  line(name: string): number
}

const endings = { lua: 'lua', javascript: 'js', typescript: 'ts' }

/** Writes a script into the folder. A comment `-- @name` or `// @name` at the end of a line names that line. */
export function writeProgram(dir: string, name: string, language: Language, texts: Texts): Program {
  const text = (language === 'lua' ? texts.lua : texts.typescript).replace(/^\n/, '')
  const path = join(dir, `${name}.${endings[language]}`)
  writeFileSync(path, language === 'javascript' ? withoutTypes(text) : text)
  const lines = text.split('\n')
  return {
    path,
    text,
    line(mark) {
      const index = lines.findIndex((line) => /(?:--|\/\/) @(\w+)$/.exec(line)?.[1] === mark)
      if (index < 0) throw new Error(`${path} has no line @${mark}`)
      return index + 1
    },
  }
}

/** One that does not parse is written as it stands. */
function withoutTypes(text: string): string {
  try {
    return stripTypeScriptTypes(text)
  } catch {
    return text
  }
}
