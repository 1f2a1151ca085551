import { readFileSync } from 'node:fs'
import { codeOf, messageOf } from '@llmspell/base'
import { configError } from './problem.ts'

export type TomlTable = Record<string, unknown>

export interface TomlFile {
  readonly path: string
  readonly text: string
  readonly table: TomlTable
}

/** `undefined` when there is no such file. Throws code `config.invalid` with the place of a syntax error. */
export async function readTomlFile(path: string): Promise<TomlFile | undefined> {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined
    throw configError([{ source: path, message: `cannot be read: ${messageOf(error)}` }], error)
  }
  return { path, text, table: await parseToml(text, path) }
}

export async function parseToml(text: string, path: string): Promise<TomlTable> {
  const { parse, TomlError } = await import('smol-toml')
  try {
    return parse(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    // The message goes on with a picture of the place, which `file:line:column` already tells.
    const [reason = ''] = error.message.split('\n')
    throw configError(
      [{ source: path, line: error.line, column: error.column, message: reason.replace('Invalid TOML document: ', 'not valid TOML: ') }],
      error,
    )
  }
}

export interface Place {
  line: number
  column: number
}

/** Where each table and value stands, by dotted name. The parser that knows is large: load it for an error or a listing only. */
export async function locate(text: string): Promise<Map<string, Place>> {
  const { parseTOML } = await import('toml-eslint-parser')
  const places = new Map<string, Place>()
  const note = (path: readonly (string | number)[], { line, column }: Place): void => {
    // A dotted header also makes the tables above it.
    for (let length = 1; length <= path.length; length++) {
      const name = path.slice(0, length).join('.')
      if (!places.has(name) || length === path.length) places.set(name, { line, column: column + 1 })
    }
  }
  const visit = (node: Node, above: readonly (string | number)[]): void => {
    switch (node.type) {
      case 'TOMLTable':
        note(node.resolvedKey, node.key.loc.start)
        for (const item of node.body) visit(item, node.resolvedKey)
        return
      case 'TOMLKeyValue': {
        const path = [...above, ...node.key.keys.map((key) => (key.type === 'TOMLBare' ? key.name : key.value))]
        note(path, node.key.loc.start)
        if (node.value.type === 'TOMLInlineTable') for (const item of node.value.body) visit(item, path)
      }
    }
  }
  for (const node of parseTOML(text).body[0].body) visit(node, [])
  return places
}

type Node = ReturnType<typeof import('toml-eslint-parser').parseTOML>['body'][0]['body'][number]
