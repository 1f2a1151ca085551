import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { delay } from '@llmspell/base'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DebuggedLua, debugLua, program } from './debug-engine.ts'

const FILE = '/nowhere/program.lua'
/** Time in which a stop that must not come would have come. */
const SETTLE_MS = 150

let lua: DebuggedLua

beforeEach(async () => {
  lua = await debugLua()
})

afterEach(async () => {
  await lua.engine.dispose()
})

type Mode = 'next' | 'stepIn' | 'stepOut' | 'continue'

/** Lines of the stops of a program, each left by the next mode; then it runs on. */
async function walk(code: string, breakpoints: number[], modes: Mode[]): Promise<number[]> {
  await lua.breakAt(FILE, ...breakpoints)
  const run = lua.begin(code, program(FILE))
  const lines: number[] = []
  for (const mode of modes) {
    await lua.stop()
    lines.push((await lua.top()).line)
    if (lines.length === modes.length) await lua.breakAt(FILE)
    await lua.go(lines.length === modes.length ? 'continue' : mode)
  }
  expect(await lua.ended(run)).toMatchObject({ status: 'ok' })
  return lines
}

describe('coroutines', () => {
  const code = `local function body(n)
  local first = n
  local got = coroutine.yield(first)
  return got
end
local co = coroutine.create(body)
local gen = coroutine.wrap(function()
  coroutine.yield(1)
end)
gen()
local _, a = coroutine.resume(co, 5)
local _, b = coroutine.resume(co, 6)
print(a, b)`

  it('are threads of their own, with the stack of who resumed them', async () => {
    await lua.breakAt(FILE, 2)
    const run = lua.begin(code, program(FILE))
    const { threadId } = await lua.stop()
    expect(threadId).not.toBe(1)
    const { frames, total } = await lua.target.stackTrace(threadId, 0, 0)
    expect(frames.map(({ name, line, hint }) => [name, line, hint])).toEqual([
      ['function at line 1', 2, 'normal'],
      ['resume', 0, 'subtle'],
      ['main chunk', 11, 'normal'],
    ])
    expect(total).toBe(3)
    const threads = await lua.target.threads()
    expect(threads).toContainEqual({ id: 1, name: 'main' })
    expect(threads).toContainEqual({ id: threadId, name: 'coroutine program.lua:1' })
    expect((await lua.target.stackTrace(1, 0, 0)).frames.map(({ line }) => line)).toEqual([11])
    const suspended = threads.find(({ name }) => name === 'coroutine program.lua:7')
    const other = await lua.target.stackTrace(suspended?.id ?? 0, 0, 0)
    expect(other.frames.map(({ line }) => line)).toEqual([8])
    await expect(lua.target.stackTrace(999, 0, 0)).rejects.toMatchObject({ code: 'debug.stale_reference' })
    await lua.go()
    await lua.ended(run)
    expect(lua.host.text()).toBe('5\t6\n')
  })

  it('are stepped over, into, and past a yield', async () => {
    expect(await walk(code, [11], ['next', 'next', 'next'])).toEqual([11, 12, 13])
    expect(await walk(code, [11], ['stepIn', 'next', 'next', 'next'])).toEqual([11, 2, 3, 4])
    expect(await walk(code, [2], ['stepOut', 'next'])).toEqual([2, 13])
  })

  it('stop in callbacks of built-in functions', async () => {
    const sorting = `local t = {3, 1, 2}
table.sort(t, function(x, y)
  return x < y
end)
local s = ("abc"):gsub(".", function(c)
  return c:upper()
end)
print(s, t[1])`
    const stops = await walk(sorting, [3, 6], Array(5).fill('continue') as Mode[])
    expect(stops.slice(0, 2)).toEqual([3, 3])
    expect(stops.slice(-2)).toEqual([6, 6])
  })
})

describe('steps', () => {
  it('follow tail calls, metamethods and iterators', async () => {
    const code = `local function last(n)
  return n
end
local function first(n)
  return last(n + 1)
end
local m = setmetatable({}, {__add = function(a, b)
  return 7
end})
local x = first(1)
local y = m + 1
for k in (function() return nil end) do
  print(k)
end
print(x, y)`
    expect(await walk(code, [10], ['stepIn', 'stepIn', 'stepIn', 'stepIn', 'stepOut', 'next'])).toEqual([10, 5, 2, 11, 8, 12])
  })

  it('enter no code of the engine', async () => {
    expect(await walk('sleep(0)\ndisplay(1)\nprint(2)', [1], ['stepIn', 'stepIn', 'stepIn'])).toEqual([1, 2, 3])
  })

  it('out of a callback go through the built-in function', async () => {
    const code = `local t = {2, 1}
table.sort(t, function(x, y)
  local r = x < y
  return r
end)
print(t[1])`
    expect((await walk(code, [3], ['stepOut', 'continue'])).at(1)).toBe(6)
  })
})

describe('sources', () => {
  let directory: string

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'lua-debug-'))
  })

  afterEach(() => {
    rmSync(directory, { recursive: true })
  })

  it('are modules by their path, loaded after and before breakpoints are set', async () => {
    const path = join(directory, 'module.lua')
    writeFileSync(path, 'local M = {}\nfunction M.f(n)\n\n  return n + 1\nend\nreturn M')
    await lua.breakAt(path, 3)
    const run = lua.begin('M = require("module")\nprint(M.f(1))', program(join(directory, 'main.lua')))
    expect(await lua.stop()).toMatchObject({ breakpointIds: [1] })
    expect(await lua.top()).toMatchObject({ source: path, line: 4, name: 'f' })
    expect(lua.events).toContainEqual({ type: 'source', source: path })
    await lua.go()
    await lua.ended(run)
    await lua.breakAt(path, 4)
    const again = lua.begin('M.f(2)')
    expect((await lua.look('Locals').catch(() => ({}))) !== undefined).toBe(true)
    await lua.stop()
    expect(await lua.look('Locals')).toMatchObject({ n: { value: '2' } })
    await lua.go()
    await lua.ended(again)
  })

  it('are chunks of load, with their text', async () => {
    const code = `f = load("local a = 1\\nreturn a", "@generated.lua")
g = load("local b = 2\\nreturn b", "=made")
h = load("local c = 3\\nreturn c")
print(f(), g(), h())`
    await lua.breakAt('generated.lua', 2)
    await lua.breakAt('made', 2)
    const run = lua.begin(code, program(FILE))
    await lua.stop()
    expect(await lua.top()).toMatchObject({ source: 'generated.lua', line: 2 })
    await lua.go()
    await lua.stop()
    expect(await lua.top()).toMatchObject({ source: 'made', line: 2 })
    const anonymous = '[string "local c = 3"]'
    expect(await lua.target.loadedSources()).toEqual(expect.arrayContaining(['generated.lua', 'made', anonymous]))
    await lua.breakAt(anonymous, 2)
    await lua.go()
    await lua.stop()
    expect(await lua.top()).toMatchObject({ source: anonymous, line: 2 })
    expect(await lua.target.sourceText('generated.lua')).toBe('local a = 1\nreturn a')
    expect(await lua.target.sourceText('made')).toBe('local b = 2\nreturn b')
    expect(await lua.target.sourceText(anonymous)).toBe('local c = 3\nreturn c')
    await lua.go()
    await lua.ended(run)
    expect(lua.host.text()).toBe('1\t2\t3\n')
  })

  it('are cells by what a notebook calls them, also those run before', async () => {
    await lua.target.detach()
    await lua.run('function early()\n  return 1\nend', { source: 'cell [1]', debugSource: '/cells/a.lua' })
    // Another cell of that name, as silent executions make them.
    await lua.run('function other()\n  return 1\nend', { source: 'cell [1]', debugSource: '/cells/b.lua' })
    await lua.target.attach({})
    await lua.breakAt('/cells/a.lua', 2)
    const run = lua.begin('other() early()')
    await lua.stop()
    expect(await lua.top()).toMatchObject({ source: '/cells/a.lua', line: 2 })
    await lua.go()
    await lua.ended(run)
    expect(lua.events.filter(({ type }) => type === 'stopped')).toHaveLength(1)
    expect(await lua.target.sourceText('/cells/b.lua')).toContain('other')
  })
})

describe('function breakpoints', () => {
  const names = async (code: string, ...specs: string[]): Promise<string[]> => {
    const bound = await lua.target.setFunctionBreakpoints(specs.map((name, index) => ({ id: index + 1, name })))
    expect(bound).toHaveLength(specs.length)
    const run = lua.begin(`${code}\nprint("done")`, program(FILE))
    let over = false
    void run.then(() => {
      over = true
    })
    const stops: string[] = []
    for (;;) {
      const wanted = stops.length + 1
      while (!over && lua.events.filter(({ type }) => type === 'stopped').length < wanted) await delay(5)
      if (over) return stops
      const stop = await lua.stop()
      expect(stop.reason).toBe('function breakpoint')
      stops.push(`${stop.breakpointIds?.join()}@${(await lua.top()).line}`)
      await lua.go()
    }
  }

  it('stop at every entry, not at loops to the first line', async () => {
    const code = `local n = 0
function loop(...)
  while n < 3 do n = n + 1 end
  if n < 5 then n = n + 1 loop() end
end
loop()`
    expect(await names(code, 'loop')).toEqual(['1@3', '1@3', '1@3'])
  })

  it('know names as they are called', async () => {
    const code = `local Account = {}
Account.__index = Account
function Account.new(n)
  return setmetatable({n = n}, Account)
end
function Account:deposit(n)
  self.n = self.n + n
end
local tools = {
  double = function(n)
    return n * 2
  end,
}
a = Account.new(1)
a:deposit(2)
tools.double(3)
local function deposit() end
deposit()
string.upper("x")`
    expect(await names(code, 'Account.new', 'Account:deposit', 'tools.double', 'deposit', 'string.upper')).toEqual([
      '1@4',
      '2@7',
      '3@11',
      '4@17',
    ])
    const told = await lua.target.setFunctionBreakpoints([
      { id: 1, name: 'a:deposit' },
      { id: 2, name: 'string.upper' },
      { id: 3, name: 'not a name' },
      { id: 4, name: 'missing' },
    ])
    expect(told.map(({ verified }) => verified)).toEqual([true, false, false, false])
    expect(told[1]?.message).toMatch(/built-in/)
    const run = lua.begin('a:deposit(1)')
    expect(await lua.stop()).toMatchObject({ reason: 'function breakpoint', breakpointIds: [1] })
    await lua.go()
    await lua.ended(run)
  })
})

describe('pausing', () => {
  it('stops code that waits for the kernel when it goes on', async () => {
    let answer: (value: unknown) => void = () => {}
    lua.host.answer = () => new Promise((resolve) => (answer = resolve))
    const run = lua.begin('local got = Agent.query("x")\nlocal after = got\nprint(after)', program(FILE))
    await lua.host.until('the call', () => lua.host.calls.length === 1)
    await lua.target.pause(1)
    await expect(lua.target.stackTrace(1, 0, 0)).rejects.toMatchObject({ code: 'debug.not_stopped' })
    expect((await lua.target.evaluate('1 + 1', undefined, 'repl')).value).toBe('2')
    await delay(SETTLE_MS)
    expect(lua.events.filter(({ type }) => type === 'stopped')).toEqual([])
    answer('yes')
    expect(await lua.stop()).toMatchObject({ reason: 'pause' })
    expect(await lua.top()).toMatchObject({ line: 2 })
    await lua.go()
    await lua.ended(run)
    expect(lua.host.text()).toBe('yes\n')
  })

  it('stops a loop on one line, and one of empty pcalls', async () => {
    for (const code of ['while true do end', 'while true do pcall(function() end) end', 'repeat local ok = pcall(error) until false']) {
      const run = lua.begin(code, program(FILE))
      await delay(SETTLE_MS)
      await lua.target.pause(1)
      expect(await lua.stop()).toMatchObject({ reason: 'pause' })
      await lua.engine.interrupt()
      expect(await lua.ended(run)).toMatchObject({ status: 'interrupted' })
    }
  })
})

describe('a statement over several lines', () => {
  it('is stopped at once where it begins, each time it runs', async () => {
    const code = `for i = 1, 2 do
  print(
    table.concat(
      { i,
        i },
      ","
    ),
    i
  )
end`
    expect(await walk(code, [2], ['continue', 'continue'])).toEqual([2, 2])
  })

  it('has each of its lines, and counts one hit', async () => {
    const code = `local function f(...) return ... end
for i = 1, 3 do
  local made = f(
    f(
      i
    )
  )
end`
    await lua.breakAt(FILE, { line: 3, hitCondition: '== 2' }, { line: 4, hitCondition: '== 3' })
    const run = lua.begin(code, program(FILE))
    await lua.stop()
    expect(await lua.look('Locals')).toMatchObject({ i: { value: '2' } })
    await lua.go()
    await lua.stop()
    expect((await lua.top()).line).toBe(4)
    expect(await lua.look('Locals')).toMatchObject({ i: { value: '3' } })
    await lua.go()
    expect(await lua.ended(run)).toMatchObject({ status: 'ok' })
  })
})
