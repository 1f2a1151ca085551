import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import type { ModuleDescription } from '../../src/catalogue/catalogue.ts'
import { catalogueLookup } from '../../src/catalogue/lookup.ts'
import { generateReference } from '../../src/catalogue/reference.ts'
import { generateDts, generateLuaMeta } from '../../src/catalogue/type-files.ts'
import { store } from './sample-modules.ts'

const timing: ModuleDescription = {
  name: 'Time',
  doc: 'Waiting.',
  global: true,
  functions: [{ name: 'sleep', doc: 'Waits.', parameters: [{ name: 'seconds', type: 'number', doc: 'how long' }] }],
}
const luaOnly: ModuleDescription = { name: 'OnlyLua', doc: 'Lua alone.', languages: ['lua'], functions: [] }
const modules = [store, timing, luaOnly]

/** Three compiler runs on a busy machine. */
const COMPILER_TIMEOUT_MS = 60_000

const directory = mkdtempSync(join(tmpdir(), 'llmspell-types-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function typeErrors(script: string): string {
  writeFileSync(join(directory, 'globals.d.ts'), generateDts(modules))
  writeFileSync(join(directory, 'script.ts'), script)
  const tsc = fileURLToPath(new URL('../../../../node_modules/.bin/tsc', import.meta.url))
  try {
    execFileSync(tsc, ['--noEmit', '--strict', '--target', 'esnext', '--module', 'esnext', '--types', '', 'globals.d.ts', 'script.ts'], {
      cwd: directory,
      encoding: 'utf8',
    })
    return ''
  } catch (error) {
    return String((error as { stdout?: unknown }).stdout)
  }
}

describe('generateDts', () => {
  it(
    'declares globals that the TypeScript compiler accepts and checks',
    () => {
      const good = "const a: number = await Store.get('a', { scope: 'kernel' })\nStore.getSync('b')\nsleep(1)\nStore.limit\nexport { a }\n"
      expect(typeErrors(good)).toBe('')
      expect(typeErrors("Store.get('a', { scope: 'krenel' })\n")).toContain('"krenel"')
      expect(typeErrors('OnlyLua\n')).toContain('OnlyLua')
    },
    COMPILER_TIMEOUT_MS,
  )
})

describe('generateLuaMeta', () => {
  it('annotates modules, parameters and results', () => {
    const text = generateLuaMeta(modules)
    expect(text.startsWith('---@meta\n')).toBe(true)
    expect(text).toContain('---@param options? { scope?: "kernel"|"session", version?: integer } where to look\n')
    expect(text).toContain('---@return any # the value, or nil\nfunction Store.get(key, options) end\n')
    expect(text).toContain('function sleep(seconds) end\n')
  })
})

describe('generateReference', () => {
  it('has a section for every function with both signatures, parameters and examples', () => {
    const text = generateReference(modules)
    expect(text).toContain('### `Store.get`')
    expect(text).toContain('Store.get(key: string, options?: { scope?: "kernel"|"session", version?: integer }): any')
    expect(text).toContain('Store.getSync(key: string')
    expect(text).toContain("  - `scope` (`'kernel' | 'session'`, optional): whose value")
    expect(text).toContain("await Store.get('a')")
    expect(text).toContain('In Lua only.')
  })
})

describe('catalogueLookup', () => {
  it('gives items and documents of one language', () => {
    const lua = catalogueLookup(modules, 'lua')
    expect(lua.items('').map((item) => item.text)).toEqual(['Store', 'sleep', 'OnlyLua'])
    expect(lua.items('Store').map((item) => item.text)).toEqual(['limit', 'get', 'set'])
    expect(lua.inspect('Store.get')?.['text/plain']).toContain('Reads a value.')
    expect(lua.inspect('Store.getSync')).toBeUndefined()
    const javascript = catalogueLookup(modules, 'javascript')
    expect(javascript.items('Store').map((item) => item.text)).toEqual(['limit', 'get', 'getSync', 'set'])
    expect(javascript.inspect('OnlyLua')).toBeUndefined()
  })
})
