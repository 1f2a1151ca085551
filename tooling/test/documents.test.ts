import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')

function pages(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !/node_modules|dist/.test(name))
    .map((name) => join(folder, name))
}

const published = ['packages', 'apps']
  .flatMap((group) => readdirSync(join(root, group)).map((name) => join(group, name)))
  .filter((folder) => existsSync(join(root, folder, 'README.md')))
  .filter((folder) => !(JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as { private?: boolean }).private)

const documents = [
  'README.md',
  'CONTRIBUTING.md',
  ...pages('docs'),
  ...pages('testing'),
  ...published.map((folder) => join(folder, 'README.md')),
]

/** Targets of Markdown links and pictures that are no addresses; code is no link. */
function links(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
    .replace(/^```[\s\S]*?^```/gm, '')
    .replace(/`[^`\n]*`/g, '')
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => String(target)).filter((target) => !/^[a-z]+:/.test(target))
}

/** As the anchors of headings are made where the documents are read. */
function anchors(file: string): string[] {
  const headings = readFileSync(file, 'utf8').match(/^#+ .+$/gm) ?? []
  return headings.map((heading) =>
    heading
      .replace(/^#+ /, '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

describe.each(documents)('%s', (file) => {
  it('has links that lead somewhere', () => {
    for (const link of links(file)) {
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? join(root, file) : resolve(root, dirname(file), path)
      expect(existsSync(target), link).toBe(true)
      if (anchor && target.endsWith('.md')) expect(anchors(target), link).toContain(anchor)
    }
  })
})

describe.each(published)('the README of %s', (folder) => {
  it('links nothing that is not published with it', () => {
    const outside = links(join(folder, 'README.md')).filter((link) => relative(folder, join(folder, link)).startsWith('..'))
    expect(outside).toEqual([])
  })
})

describe('changesets', () => {
  const changesets = readdirSync(join(root, '.changeset')).filter((name) => name.endsWith('.md'))
  it.each(changesets)('%s names packages and says something', (name) => {
    expect(readFileSync(join(root, '.changeset', name), 'utf8')).toMatch(/^---\n("@llmspell\/[a-z-]+": (patch|minor|major)\n)+---\n\n\S/)
  })
})
