import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeDirectory } from '../src/make-directory.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'llmspell-directory-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

describe('makeDirectory', () => {
  it('makes what is missing with the mode, and leaves what is there', () => {
    makeDirectory(join(dir, 'a', 'b', 'c'), 0o700)
    makeDirectory(join(dir, 'a', 'b', 'c'), 0o755)
    expect(['a', 'a/b', 'a/b/c'].map((name) => statSync(join(dir, name)).mode & 0o777)).toEqual([0o700, 0o700, 0o700])
  })

  it('follows links, and takes a relative path', () => {
    symlinkSync(dir, join(dir, 'link'))
    makeDirectory(join(dir, 'link', 'behind'))
    expect(statSync(join(dir, 'behind')).isDirectory()).toBe(true)
    makeDirectory('.')
  })

  it('refuses a file in the way', () => {
    writeFileSync(join(dir, 'file'), '')
    expect(() => makeDirectory(join(dir, 'file'))).toThrow(/EEXIST/)
    expect(() => makeDirectory(join(dir, 'file', 'below'))).toThrow(/EEXIST/)
  })

  it.runIf(process.platform === 'linux')('comes back where no directory can be made', () => {
    expect(() => makeDirectory('/proc/llmspell/home')).toThrow(/ENOENT/)
  })
})
