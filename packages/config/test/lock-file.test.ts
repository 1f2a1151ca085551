import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ownIdentity } from '@llmspell/config/process-identity'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { isHeld, tryLock } from '../src/lock-file.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'llmspell-lock-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

it('is held by one and free after release', () => {
  const path = join(directory, 'lock')
  const held = tryLock(path)
  expect(isHeld(held)).toBe(true)
  expect(tryLock(path)).toMatchObject(ownIdentity())
  if (isHeld(held)) held.release()
  const again = tryLock(path)
  expect(isHeld(again)).toBe(true)
  if (isHeld(again)) again.release()
  expect(readdirSync(directory)).toEqual([])
})

it('takes over from a process that is gone, and from a number that was used again', () => {
  const path = join(directory, 'lock')
  for (const dead of [
    { pid: 2 ** 22 + 1, startTime: '1', nonce: 'a' },
    { pid: process.pid, startTime: 'another', nonce: 'b' },
  ]) {
    writeFileSync(path, JSON.stringify(dead))
    const held = tryLock(path)
    expect(isHeld(held)).toBe(true)
    if (isHeld(held)) held.release()
  }
  expect(readdirSync(directory)).toEqual([])
})

it('finishes a take-over whose owner died in the middle of it', () => {
  const path = join(directory, 'lock')
  writeFileSync(path, JSON.stringify({ pid: 2 ** 22 + 1, startTime: '1', nonce: 'first' }))
  writeFileSync(`${path}.first`, JSON.stringify({ pid: 2 ** 22 + 2, startTime: '1', nonce: 'second' }))
  const held = tryLock(path)
  expect(isHeld(held)).toBe(true)
  if (isHeld(held)) held.release()
  expect(readdirSync(directory)).toEqual([])
})

it('is never held by two of eight processes, half of which die while holding it', { timeout: 120_000 }, async () => {
  const [lock, inside, log] = ['lock', 'inside', 'log'].map((name) => join(directory, name)) as [string, string, string]
  writeFileSync(log, '')
  const contender = fileURLToPath(new URL('./support/lock-contender.ts', import.meta.url))
  const lockModule = new URL('../dist/lock-file.js', import.meta.url).href
  const rounds = 25
  const ends = Array.from({ length: 8 }, async (_, index) => {
    const child = spawn(
      process.execPath,
      ['--no-warnings', contender, lockModule, lock, inside, log, String(rounds), index % 2 ? 'deadly' : 'kind'],
      { stdio: 'inherit' },
    )
    return (await once(child, 'exit')) as [number | null, string | null]
  })
  const exits = await Promise.all(ends)
  expect(exits.map(([code, signal]) => signal ?? code)).toEqual([0, 'SIGKILL', 0, 'SIGKILL', 0, 'SIGKILL', 0, 'SIGKILL'])
  const lines = readFileSync(log, 'utf8').trim().split('\n')
  expect(lines.filter((line) => line === 'VIOLATION')).toEqual([])
  expect(lines.length).toBe(8 * rounds)
})
