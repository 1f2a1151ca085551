import { expect, test } from 'vitest'
import { describeWorkbench } from './workbench-suite.ts'

const MINUTES = 60_000

const LUA = `local total = 0
local names = { "ada", "grace" }

local function add(n)
  total = total + n
  return total
end

for i = 1, 5 do
  add(i)
end
print("total " .. total .. " " .. names[2])
`

const TYPESCRIPT = `interface Point { x: number; y: number }
const points: Point[] = []
for (let i = 0; i < 5; i++) {
  const point: Point = { x: i, y: i * i }
  points.push(point)
}
console.log('points', points.length)
`

await describeWorkbench('Debugging in VS Code', { 'total.lua': LUA, 'points.ts': TYPESCRIPT }, (of) => {
  test('F5 on a Lua file stops at a breakpoint, shows locals, steps and goes on', { timeout: 5 * MINUTES }, async () => {
    const { wb } = of()
    await wb.open('total.lua')
    await wb.breakpoint(5)
    await wb.press('F5')
    const { frames } = await wb.stopped('total.lua', 5)
    expect(frames[0]).toContain('add')
    await wb.variables({ n: '1' })
    await wb.screenshot('lua-stopped')
    await wb.evaluate('n + 41', '42')
    await wb.press('F10')
    await wb.stopped('total.lua', 6)
    await wb.screenshot('lua-stepped')
    await wb.command('Remove All Breakpoints')
    await wb.press('F5')
    await wb.debugConsole('total 15 grace')
    await wb.ended()
    await wb.screenshot('lua-ended')
  })
})
