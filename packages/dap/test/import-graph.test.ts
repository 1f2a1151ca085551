import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const SRC = join(import.meta.dirname, '../src')

test('the package is usable in a browser: only node.ts names Node, and nothing imports that', () => {
  for (const file of readdirSync(SRC)) {
    const imported = [...readFileSync(join(SRC, file), 'utf8').matchAll(/from '([^']+)'/g)].map(([, target]) => target as string)
    if (file !== 'node.ts')
      expect(
        imported.filter((target) => target.startsWith('node:') || target === './node.ts'),
        file,
      ).toEqual([])
    expect(
      imported.filter((target) => !target.startsWith('.') && !target.startsWith('node:') && target !== '@llmspell/base'),
      file,
    ).toEqual([])
  }
})
