import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkKernelId, ensurePrivateDirectory, resolvePaths } from '../src/paths.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'llmspell-paths-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

describe('resolvePaths', () => {
  it('puts everything below LLMSPELL_HOME when it is set', () => {
    const paths = resolvePaths({ LLMSPELL_HOME: '/h', XDG_CONFIG_HOME: '/c', HOME: '/home/u' })
    expect(paths.configFile).toBe('/h/config.toml')
    expect(paths.connectionFile('default')).toBe('/h/run/kernels/default.json')
    expect(paths.ipcBase('default')).toBe('/h/run/kernels/default')
    expect(paths.stateDatabase).toBe('/h/state/state.db')
    expect(paths.historyDatabase).toBe('/h/state/history.db')
    expect(paths.logFile('default')).toBe('/h/state/logs/default.log')
  })

  it('resolves a relative LLMSPELL_HOME and ignores an empty one', () => {
    expect(resolvePaths({ LLMSPELL_HOME: 'here' }).configFile).toBe(join(process.cwd(), 'here', 'config.toml'))
    expect(resolvePaths({ LLMSPELL_HOME: '', HOME: '/home/u' }).configFile).toBe('/home/u/.config/llmspell/config.toml')
  })

  it('follows XDG, ignoring relative values', () => {
    const paths = resolvePaths({ HOME: '/home/u', XDG_CONFIG_HOME: 'rel', XDG_STATE_HOME: '/s', XDG_RUNTIME_DIR: dir })
    expect(paths.configFile).toBe('/home/u/.config/llmspell/config.toml')
    expect(paths.stateDir).toBe('/s/llmspell')
    expect(paths.runtimeDir).toBe(join(dir, 'llmspell'))
  })

  it('falls back to a directory of the user in /tmp when XDG_RUNTIME_DIR is unset or gone', () => {
    const expected = `/tmp/llmspell-${process.getuid?.()}`
    expect(resolvePaths({ HOME: '/home/u' }).runtimeDir).toBe(expected)
    expect(resolvePaths({ HOME: '/home/u', XDG_RUNTIME_DIR: join(dir, 'gone') }).runtimeDir).toBe(expected)
  })

  it('keeps ipc addresses within what a unix socket holds, apart for different homes', () => {
    const deep = (name: string): string => `/${name.repeat(30)}/${'x'.repeat(60)}`
    const id = 'k'.repeat(64)
    const one = resolvePaths({ LLMSPELL_HOME: deep('aa') }).ipcBase(id)
    const two = resolvePaths({ LLMSPELL_HOME: deep('bb') }).ipcBase(id)
    expect(Buffer.byteLength(`${one}-5`)).toBeLessThanOrEqual(103)
    expect(one).not.toBe(two)
    expect(resolvePaths({ LLMSPELL_HOME: deep('aa') }).ipcBase(id)).toBe(one)
  })
})

describe('checkKernelId', () => {
  it.each(['default', 'a', 'My.kernel_2-x'])('accepts %s', (id) => expect(checkKernelId(id)).toBe(id))
  it.each(['', '../x', 'a/b', '-x', '.hidden', 'x'.repeat(65), 'a b', 'é'])('refuses %j', (id) =>
    expect(() => checkKernelId(id)).toThrow(expect.objectContaining({ code: 'config.bad_kernel_id' })),
  )
})

describe('ensurePrivateDirectory', () => {
  it('makes it 0700, with its parents, and narrows one that is wider', () => {
    const made = join(dir, 'a', 'b')
    ensurePrivateDirectory(made)
    expect(statSync(made).mode & 0o777).toBe(0o700)
    chmodSync(made, 0o755)
    ensurePrivateDirectory(made)
    expect(statSync(made).mode & 0o777).toBe(0o700)
  })

  it.runIf(process.platform === 'linux')('refuses a place where no directory can be made', () => {
    expect(() => ensurePrivateDirectory('/proc/llmspell/run')).toThrow(expect.objectContaining({ code: 'config.unsafe_directory' }))
  })

  it('refuses a symbolic link, which another user may have put there', () => {
    mkdirSync(join(dir, 'real'))
    symlinkSync(join(dir, 'real'), join(dir, 'link'))
    expect(() => ensurePrivateDirectory(join(dir, 'link'))).toThrow(expect.objectContaining({ code: 'config.unsafe_directory' }))
  })

  it.runIf(process.getuid?.() === 0)('refuses a directory of another user', async () => {
    const { chownSync } = await import('node:fs')
    const foreign = join(dir, 'foreign')
    mkdirSync(foreign)
    chownSync(foreign, 12345, 12345)
    expect(() => ensurePrivateDirectory(foreign)).toThrow(/belongs to user id 12345/)
  })
})
