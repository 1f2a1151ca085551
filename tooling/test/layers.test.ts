import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const { layers } = JSON.parse(readFileSync(join(root, 'tooling/layers.json'), 'utf8')) as {
  layers: Record<string, { layer: number; imports: string[] }>
}

const packages = ['packages', 'apps'].flatMap((group) =>
  readdirSync(join(root, group)).map((folder) => {
    const path = join(root, group, folder)
    const manifest = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as {
      name: string
      dependencies?: Record<string, string>
    }
    return { path, manifest }
  }),
)

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(ts|js|mjs)$/.test(file))
    .map((file) => join(folder, file))
}

/** Workspace packages that a source file names in a static, dynamic or type import. */
function importedPackages(source: string): string[] {
  return [...source.matchAll(/(?:from|import)\s*\(?\s*['"](@llmspell\/[a-z-]+)/g)].map((match) => match[1] as string)
}

describe('layers', () => {
  test('every package has its place in tooling/layers.json, and nothing else is listed', () => {
    expect(Object.keys(layers).sort()).toEqual(packages.map(({ manifest }) => manifest.name).sort())
  })

  test('allowed imports go strictly down', () => {
    for (const [name, { layer, imports }] of Object.entries(layers)) {
      for (const imported of imports) expect(layers[imported]?.layer, `${name} -> ${imported}`).toBeLessThan(layer)
    }
  })

  test.each(packages)('$manifest.name imports only what its row allows', ({ path, manifest }) => {
    const allowed = new Set([...(layers[manifest.name]?.imports ?? []), manifest.name])
    for (const file of sources(join(path, 'src'))) {
      for (const name of importedPackages(readFileSync(file, 'utf8'))) {
        expect(allowed, `${file} imports ${name}`).toContain(name)
        if (name !== manifest.name)
          expect(manifest.dependencies, `${manifest.name} uses ${name} without depending on it`).toHaveProperty([name])
      }
    }
  })
})
