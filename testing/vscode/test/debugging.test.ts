import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { describeWorkbench } from './workbench-suite.ts'

const MINUTES = 60_000

const LUA = `local function tally(words)
  local counts = {}
  for index, word in ipairs(words) do
    local seen = counts[word] or 0
    counts[word] = seen + 1
  end
  return counts
end

local counts = tally { "ada", "grace", "ada" }
print("ada " .. counts.ada)
`

const TYPESCRIPT = `interface Point { x: number; y: number }
const points: Point[] = []
for (let i = 0; i < 5; i++) {
  const point: Point = { x: i, y: i * i }
  points.push(point)
}
console.log('points', points.length)
`

/** Goes on until a file is there: a run of some minutes that can be told to end. */
const TICKS = `local file = ...
local ticks = 0
local function tick()
  ticks = ticks + 1
end
while not io.open(file) do
  tick()
end
print("ticked", ticks > 0)
`

await describeWorkbench('Debugging in VS Code', { 'tally.lua': LUA, 'points.ts': TYPESCRIPT, 'ticks.lua': TICKS }, (of) => {
  afterEach(() => of().wb.settle(), 3 * MINUTES)

  test('F5 on a Lua file stops at a breakpoint, shows locals, steps and goes on', { timeout: 5 * MINUTES }, async () => {
    const { wb } = of()
    await wb.open('tally.lua')
    await wb.breakpoint(4)
    await wb.press('F5')
    await wb.stopped('tally.lua', 4, ['tally', 'main chunk'])
    await wb.variables({ index: '1', word: '"ada"' })
    await wb.screenshot('lua-stopped')
    await wb.press('F10')
    await wb.stopped('tally.lua', 5)
    await wb.variables({ seen: '0' })
    await wb.evaluate('#words + 39', '42')
    await wb.screenshot('lua-stepped')
    await wb.command('Remove All Breakpoints')
    await wb.press('F5')
    await wb.debugConsole('ada 2')
    await wb.ended()
    await wb.screenshot('lua-ended')
  })

  test('F5 on a TypeScript file asks who shall debug it, and a conditional breakpoint stops once', { timeout: 5 * MINUTES }, async () => {
    const { wb } = of()
    await wb.open('points.ts')
    await wb.breakpoint(5, 'i === 3')
    await wb.press('F5')
    expect(await wb.choices()).toEqual(expect.arrayContaining(['Node.js', 'llmspell']))
    await wb.choose('llmspell')
    await wb.stopped('points.ts', 5)
    await wb.variables({ point: '{x: 3, y: 9}' })
    await wb.screenshot('typescript-condition')
    await wb.press('F5')
    await wb.debugConsole('points 5')
    await wb.ended()
  })

  test('Lua and TypeScript are debugged side by side', { timeout: 5 * MINUTES }, async () => {
    const { wb } = of()
    await wb.open('points.ts')
    await wb.breakpoint(7)
    await wb.command('llmspell: Debug File in llmspell Kernel')
    await wb.stopped('points.ts', 7)
    await wb.open('tally.lua')
    await wb.breakpoint(11)
    await wb.command('llmspell: Debug File in llmspell Kernel')
    await wb.stopped('tally.lua', 11)
    await wb.stopped('points.ts', 7)
    await wb.screenshot('side-by-side')
    // Which of the two has the keys is up to VS Code; the other stands still meanwhile.
    await wb.press('F5')
    await wb.see('one session is left', async () => (await wb.sessions()).length < 2)
    let left: string | undefined
    await wb.see('the other one still stands', async () => {
      left = (await wb.frames())[0]?.file
      return left !== undefined
    })
    await wb.press('F5')
    await wb.debugConsole(left === 'tally.lua' ? 'ada 2' : 'points 5')
    await wb.ended()
  })

  test('a debugger attaches to a running script, leaves it running, and attaches again', { timeout: 6 * MINUTES }, async () => {
    const { wb, home, workspace } = of()
    const stop = join(home.dir, 'stop')
    const run = home.llmspell(['run', join(workspace, 'ticks.lua'), stop], { timeout: 5 * MINUTES })
    await wb.open('ticks.lua')
    await wb.breakpoint(4)
    for (const time of ['first', 'second']) {
      await wb.chooseFrom('llmspell: Attach Debugger…', 'ticks.lua')
      await wb.stopped('ticks.lua', 4)
      await wb.screenshot(`attached-${time}`)
      await wb.command('Debug: Disconnect')
      await wb.ended()
    }
    writeFileSync(stop, '')
    expect(await run).toMatchObject({ code: 0, stdout: 'ticked\ttrue\n' })
  })

  test('what is wrong in launch.json is told in its words', { timeout: 4 * MINUTES }, async () => {
    const { wb, workspace } = of()
    mkdirSync(join(workspace, '.vscode'), { recursive: true })
    const configuration = { type: 'llmspell', request: 'launch', name: 'gone', program: '${workspaceFolder}/gone.lua' }
    writeFileSync(join(workspace, '.vscode', 'launch.json'), JSON.stringify({ version: '0.2.0', configurations: [configuration] }))
    await wb.chooseFrom('Debug: Select and Start Debugging', 'gone')
    await wb.notification('there is no file')
    await wb.screenshot('wrong-program')
  })
})
