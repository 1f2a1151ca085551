import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { EXIT } from '../src/exit-codes.ts'
import { KERNEL_TEST_MS, logOf, makeHome, startKernel } from './support/kernel-under-test.ts'

/** Code that Node runs in the process before ours. */
function preload(code: string): string[] {
  return ['--import', `data:text/javascript,${encodeURIComponent(code)}`]
}

describe('a defect in the kernel process', { timeout: KERNEL_TEST_MS }, () => {
  it.each([
    ['an exception', 'setTimeout(() => { throw new Error("boom") }, 1500)'],
    ['a rejection', 'setTimeout(() => Promise.reject(new Error("boom")), 1500)'],
  ])('%s is logged with its stack, and leaves no connection file', async (_, code) => {
    const home = makeHome()
    mkdirSync(join(home, 'state', 'logs'), { recursive: true })
    const kernel = startKernel({ home, nodeArgs: preload(code), args: ['--log-file', logOf(home)] })
    await kernel.started()
    expect((await kernel.ended()).code).toBe(EXIT.crash)
    expect(readdirSync(join(home, 'run', 'kernels')).filter((name) => name.endsWith('.json'))).toEqual([])
    const last = readFileSync(logOf(home), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .find(({ msg }) => msg === 'the kernel crashed')
    expect(last).toMatchObject({ level: 'error', reason: 'boom', stack: expect.stringContaining('Error: boom') })
  })

  it('an old Node gets a sentence before anything is loaded', async () => {
    const old = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.18.0" } })'
    const kernel = startKernel({ nodeArgs: preload(old) })
    expect(await kernel.ended()).toEqual({ code: 1, signal: null })
    expect(kernel.printed()).toMatch(/^llmspell needs Node\.js 22\.19 or newer; this is v\d+/)
  })
})
