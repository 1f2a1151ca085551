import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createHome, type Home, toolPath } from '@llmspell/testkit'
import { describeWith } from '@llmspell/testkit/vitest'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { background } from './background.ts'
import { adapter, play, type Report, type Scenario } from './editors.ts'
import { describeInNewerDebian, inNewerDebian, newerDebian } from './newer-debian.ts'
import { type Language, type Program, type Texts, writeProgram } from './program.ts'

const summing: Texts = {
  lua: `
local total = 0
local function add(n)
  local twice = n * 2 -- @body
  total = total + twice -- @sum
  return total
end
for i = 1, 5 do
  add(i) -- @call
  print("i " .. i) -- @after
end
print("total " .. total)
`,
  typescript: `
let total: number = 0
function add(n: number): number {
  const twice: number = n * 2 // @body
  total = total + twice // @sum
  return total
}
for (let i: number = 1; i <= 5; i++) {
  add(i) // @call
  console.log('i ' + i) // @after
}
console.log('total ' + total)
`,
}

const counting: Texts = {
  lua: 'local n = 0\nprint("counting")\nwhile n < 1e9 do\n  n = n + 1 -- @turn\n  if n % 10 == 0 then print("n " .. n) end\n  sleep(0.02)\nend\n',
  typescript:
    'let n: number = 0\nconsole.log("counting")\nwhile (n < 1e9) {\n  n = n + 1 // @turn\n  if (n % 10 === 0) console.log("n " + n)\n  await sleep(0.02)\n}\n',
}

let home: Home
beforeAll(async () => {
  home = createHome()
  expect((await home.llmspell(['kernel', 'start', '--daemon'])).code).toBe(0)
})
afterAll(() => home?.dispose())

/** What every editor has to show. */
function scenarios(playIt: (scenario: Scenario) => Promise<Report>): void {
  const base = (program: Program): Scenario => ({
    source: program.path,
    adapter,
    configuration: { type: 'llmspell', request: 'launch', program: program.path },
    breakpoints: [],
    stops: [],
  })

  describe.each<Language>(['lua', 'typescript'])('%s', (language) => {
    test('launch: a condition, variables, steps over, into and out, the REPL changes a local', async () => {
      const program = writeProgram(home.dir, 'summing', language, summing)
      const line = (name: string): number => program.line(name)
      const report = await playIt({
        ...base(program),
        breakpoints: [{ line: line('call'), condition: 'i == 3' }],
        stops: [
          { line: line('call'), evaluate: { 'i * 100': '300' }, go: 'stepIn' },
          { line: line('body'), go: 'next' },
          {
            line: line('sum'),
            variables: { n: '3', twice: '6' },
            evaluate: { 'total + n': '9', [language === 'lua' ? 'n +' : 'n +;']: '' },
            go: 'continue',
          },
        ],
      })
      expect(report.failure).toBeNull()
      expect(report.stops.map((stop) => [stop.line, stop.reason])).toEqual([
        [line('call'), 'breakpoint'],
        [line('body'), 'step'],
        [line('sum'), 'step'],
      ])
      for (const { variables, evaluate } of report.stops) {
        for (const [name, seen] of Object.entries({ ...variables, ...evaluate })) expect(seen, name).toBe(true)
      }
      expect(report.stops[2]?.function).toMatch(/add/)
      expect(report.output).toContain('total 30')
      expect(report.ended).toBe(true)
    })

    test('hit conditions and log points', async () => {
      const program = writeProgram(home.dir, 'summing', language, summing)
      const report = await playIt({
        ...base(program),
        breakpoints: [
          { line: program.line('sum'), hitCondition: '4' },
          { line: program.line('after'), logMessage: 'seen {i}' },
        ],
        stops: [{ line: program.line('sum'), variables: { n: '4', twice: '8' }, go: 'continue' }],
      })
      expect(report.failure).toBeNull()
      expect(report.stops).toHaveLength(1)
      for (const i of [1, 2, 3, 4, 5]) expect(report.output).toContain(`seen ${i}`)
      expect(report.output).toContain('total 30')
    })

    test('attach to a run, look, leave it running, and attach again', async () => {
      const program = writeProgram(home.dir, 'counting', language, counting)
      const run = background(home, ['run', program.path])
      await run.prints('counting')
      const visit = (): Promise<Report> =>
        playIt({
          ...base(program),
          configuration: { type: 'llmspell', request: 'attach', run: program.path },
          breakpoints: [{ line: program.line('turn') }],
          stops: [
            { line: program.line('turn'), evaluate: { 'n >= 0': 'true' }, go: 'continue' },
            { line: program.line('turn'), go: 'disconnect' },
          ],
        })
      for (let time = 0; time < 2; time++) {
        const report = await visit()
        expect(report.failure).toBeNull()
        expect(report.stops.map((stop) => stop.line)).toEqual([program.line('turn'), program.line('turn')])
        expect(report.stops[0]?.evaluate['n >= 0']).toBe(true)
        const before = run.printed().split('\n').length
        await run.prints(`n ${(before + 2) * 10}`)
      }
      run.child.kill('SIGINT')
      expect(await run.ended()).toBe(130)
    })
  })
}

const driver = (name: string): string => fileURLToPath(new URL(`../editors/${name}`, import.meta.url))

describeInNewerDebian('usr/bin/emacs', 'Emacs with dape', () => {
  scenarios((scenario) => play(home, inNewerDebian('emacs', '--batch', '-l', driver('dape.el')), scenario, newerDebian))
})

const neovim = (script: string, scenario: Scenario, env: NodeJS.ProcessEnv = {}): Promise<Report> =>
  play(home, [String(toolPath('nvim')), '--headless', '-u', 'NONE', '-n', '-c', `luafile ${driver(script)}`], scenario, env)

describeWith(['nvim'], 'Neovim', () => {
  describe('with its own pipes and JSON', () => scenarios((scenario) => neovim('nvim.lua', scenario)))

  // no package that CI can install brings the plugin
  const plugin = process.env.NVIM_DAP
  if (plugin && existsSync(join(plugin, 'lua', 'dap.lua'))) {
    describe('with nvim-dap', () => scenarios((scenario) => neovim('nvim-dap.lua', scenario, { NVIM_DAP: plugin })))
  } else {
    console.warn('not run: Neovim with nvim-dap: NVIM_DAP names no checkout of it (0.3.0 for Neovim 0.7, 0.10.0 for 0.10)')
  }
})
