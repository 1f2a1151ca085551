import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { expect, it } from 'vitest'

const SRC = resolve(import.meta.dirname, '../src')

/** Every module the entry reaches, with what it imports from outside. Type-only imports vanish at build and do not count. */
function reach(entry: string): Map<string, string[]> {
  const seen = new Map<string, string[]>()
  const visit = (file: string): void => {
    if (seen.has(file)) return
    const outside: string[] = []
    seen.set(file, outside)
    const source = readFileSync(file, 'utf8')
    for (const [statement, target] of source.matchAll(/^(?:import|export)\s[^'"]*?from\s+'([^']+)'/gm) as IterableIterator<
      [string, string]
    >) {
      if (/^(?:import|export) type\s/.test(statement)) continue
      if (target.startsWith('.')) visit(resolve(dirname(file), target))
      else outside.push(target)
    }
  }
  visit(resolve(SRC, entry))
  return seen
}

it('the package is usable in a browser: its root reaches no Node module', () => {
  const outside = new Set([...reach('index.ts').values()].flat())
  expect([...outside]).toEqual(['@llmspell/base'])
})

it('only the signer reaches Node, and only its crypto', () => {
  expect(reach('signer.ts').get(resolve(SRC, 'signer.ts'))).toEqual(['node:crypto', '@llmspell/base'])
  expect([...reach('validation/index.ts').values()].flat().filter((target) => target.startsWith('node:'))).toEqual([])
})

it('frames are decoded in one place', () => {
  const holders = [...reach('index.ts').keys()].filter((file) => readFileSync(file, 'utf8').includes('<IDS|MSG>'))
  expect(holders).toEqual([resolve(SRC, 'wire.ts')])
})
