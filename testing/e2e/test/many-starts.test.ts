import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createHome, type Home, isAlive, startKernel } from '@llmspell/testkit'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { atOnce } from './at-once.ts'

const MINUTES = 60_000

let home: Home
beforeEach(() => {
  home = createHome()
})
afterEach(() => home.dispose())

const kernels = (): string[] => home.processes().flatMap(({ command }) => (/kernel\/dist\/main\.js/.test(command) ? [command] : []))

describe('many starts at once', () => {
  test.each([
    ['lua', 'print("run " .. Args[1])'],
    ['ts', 'const word: string = Args[0]\nconsole.log(`run ${word}`)'],
  ])('64 simultaneous runs of a .%s script share the one kernel that starts', { timeout: 5 * MINUTES }, async (ending, source) => {
    const file = join(home.dir, `script.${ending}`)
    writeFileSync(file, source)
    const runs = await atOnce(64, 64, (index) => home.llmspell(['run', file, '--', String(index)], { timeout: 4 * MINUTES }))
    const failed = runs.filter(({ code }) => code !== 0)
    expect(failed.map(({ code, stderr }) => `${code}: ${stderr}`)).toEqual([])
    expect(runs.map(({ stdout }) => stdout)).toEqual(runs.map((_, index) => `run ${index}\n`))
    expect(kernels()).toHaveLength(1)
    const listed = JSON.parse((await home.llmspell(['kernel', 'list', '--json'])).stdout) as { kernels: unknown[] }
    expect(listed.kernels).toHaveLength(1)
  })

  test('100 kernels started 16 at a time all start, answer and end', { timeout: 10 * MINUTES }, async () => {
    const outcomes = await atOnce(100, 16, async (index) => {
      const kernel = await startKernel(home, {
        language: (['lua', 'javascript', 'typescript'] as const)[index % 3] ?? 'lua',
        args: ['--id', `k${index}`],
      })
      const answer = await home.llmspell(['exec', '--connect', `k${index}`, '6 * 7'])
      await kernel.stop()
      return { answer: answer.stdout.trim() || answer.stderr, exit: await kernel.exited, alive: isAlive(kernel.pid) }
    })
    expect(outcomes).toEqual(outcomes.map(() => ({ answer: '42', exit: { code: 0, signal: null }, alive: false })))
    const listed = JSON.parse((await home.llmspell(['kernel', 'list', '--json'])).stdout) as { kernels: unknown[] }
    expect(listed.kernels).toEqual([])
    expect(home.processes()).toEqual([])
  })

  test('16 simultaneous starts of a daemon of one id leave one', { timeout: 3 * MINUTES }, async () => {
    const starts = await atOnce(16, 16, () => home.llmspell(['kernel', 'start', '--daemon', '--id', 'one']))
    expect(starts.filter(({ code }) => code === 0).length).toBeGreaterThanOrEqual(1)
    expect(kernels()).toHaveLength(1)
    for (const { code, stderr, stdout } of starts) if (code !== 0) expect(`${stderr}${stdout}`).toMatch(/already|runs/)
  })
})
