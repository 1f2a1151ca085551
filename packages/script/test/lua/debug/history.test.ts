import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DebuggedLua, debugLua, program } from './debug-engine.ts'

const FILE = '/nowhere/history.lua'

let lua: DebuggedLua

beforeEach(async () => {
  lua = await debugLua({ recordHistory: true })
})

afterEach(async () => {
  await lua.engine.dispose()
})

const value = async (expression: string): Promise<string> => (await lua.target.evaluate(expression, (await lua.top()).id, 'watch')).value

const step = async (mode: Parameters<DebuggedLua['go']>[0]): Promise<number> => {
  await lua.go(mode)
  await lua.stop()
  return (await lua.top()).line
}

const important = (): string =>
  lua.events
    .filter((event) => event.type === 'output')
    .map(({ text }) => text)
    .join('')

describe('going back', () => {
  it('restores values, and what is changed then changes what follows', async () => {
    await lua.breakAt(FILE, 4)
    const run = lua.begin('local a = 1\na = a + 1\na = a * 10\nprint(a)', program(FILE))
    await lua.stop()
    expect(await value('a')).toBe('20')
    expect([await step('stepBack'), await value('a')]).toEqual([3, '2'])
    expect([await step('stepBack'), await value('a')]).toEqual([2, '1'])
    const [scope] = await lua.target.scopes((await lua.top()).id)
    await lua.target.setVariable(scope?.reference ?? 0, 'a', '99')
    expect(await step('continue')).toBe(4)
    await lua.go()
    expect(await lua.ended(run)).toMatchObject({ status: 'ok' })
    expect(lua.host.text()).toBe('1000\n')
    expect(important()).toMatch(/outside stays done/)
  })

  it('prints nothing twice, and says where history begins', async () => {
    await lua.breakAt(FILE, 3)
    const run = lua.begin('print("one")\nprint("two")\nprint("three")', program(FILE))
    await lua.stop()
    expect(await step('stepBack')).toBe(2)
    expect(await step('stepBack')).toBe(1)
    await expect(lua.go('stepBack')).rejects.toMatchObject({ code: 'debug.not_supported' })
    await lua.breakAt(FILE)
    await lua.go()
    await lua.ended(run)
    // What ran twice prints twice; what had been printed before is not printed again by itself.
    expect(lua.host.text()).toBe('one\ntwo\none\ntwo\nthree\n')
  })

  it('steps over calls, and into what called', async () => {
    const code = `local function add(x, y)
  local sum = x + y
  return sum
end
local a = add(1, 2)
local b = add(a, 3)
print(a, b)`
    await lua.breakAt(FILE, 7)
    const run = lua.begin(code, program(FILE))
    await lua.stop()
    expect(await step('stepBack')).toBe(6)
    expect(await step('stepIn')).toBe(2)
    expect(await step('stepBack')).toBe(6)
    expect(await step('stepBack')).toBe(5)
    await lua.go()
    await lua.stop()
    await lua.go()
    await lua.ended(run)
    expect(lua.host.text()).toBe('3\t6\n')
  })

  it('continues backwards to breakpoints whose conditions held, and to the beginning', async () => {
    await lua.breakAt(FILE, { line: 3, condition: 'i % 2 == 0' }, 5)
    const run = lua.begin('local total = 0\nfor i = 1, 5 do\n  total = total + i\nend\nprint(total)', program(FILE))
    await lua.stop()
    await lua.go()
    await lua.stop()
    await lua.go()
    await lua.stop()
    expect((await lua.top()).line).toBe(5)
    expect([await step('reverseContinue'), await value('i'), await value('total')]).toEqual([3, '4', '6'])
    expect(lua.events.findLast(({ type }) => type === 'stopped')).toMatchObject({ reason: 'breakpoint', breakpointIds: [1] })
    expect([await step('reverseContinue'), await value('i')]).toEqual([3, '2'])
    expect(await step('reverseContinue')).toBe(1)
    expect(important()).toMatch(/history begins/)
    await lua.breakAt(FILE)
    await lua.go()
    await lua.ended(run)
    expect(lua.host.text()).toBe('15\n')
  })

  it('goes through coroutines, pcall, metamethods and host calls', async () => {
    let calls = 0
    lua.host.answer = () => ++calls
    const code = `local log = {}
local co = coroutine.wrap(function()
  for i = 1, 3 do
    log[#log + 1] = i
    coroutine.yield(i)
  end
end)
pcall(function()
  co()
  co()
end)
local m = setmetatable({}, {__index = function(_, k)
  log[#log + 1] = k
  return k
end})
local x = m.field
local y = Agent.query("q")
print(#log, x, y, coroutine.isyieldable(), select(2, coroutine.running()))`
    await lua.breakAt(FILE, 18)
    const run = lua.begin(code, program(FILE))
    await lua.stop()
    expect(await value('#log')).toBe('3')
    const lines: number[] = []
    for (let i = 0; i < 3; i++) lines.push(await step('stepBack'))
    expect(lines).toEqual([17, 16, 12])
    expect(await value('#log')).toBe('2')
    await lua.breakAt(FILE, 5)
    expect(await step('reverseContinue')).toBe(5)
    expect(await value('i')).toBe('2')
    expect((await lua.target.stackTrace((await lua.target.threads()).at(-1)?.id ?? 0, 0, 0)).frames.map(({ line }) => line)).toEqual([
      5, 0, 10, 0, 8,
    ])
    expect(await step('stepBack')).toBe(4)
    expect(await value('#log')).toBe('1')
    await lua.breakAt(FILE)
    await lua.go()
    expect(await lua.ended(run)).toMatchObject({ status: 'ok' })
    expect(lua.host.text()).toBe('3\tfield\t2\tfalse\ttrue\n')
    expect(calls).toBe(2)
  })

  it('leads from an error, and from a callback of a built-in function, to before it', async () => {
    await lua.target.setExceptionFilters([{ filter: 'uncaught' }])
    const code = `local t = {3, 1, 2}
local n = 0
table.sort(t, function(a, b)
  n = n + 1
  return a < b
end)
local bad = nil + n`
    await lua.breakAt(FILE, { line: 4, hitCondition: '2' })
    const run = lua.begin(code, program(FILE))
    await lua.stop()
    expect([(await lua.top()).line, await value('n')]).toEqual([4, '1'])
    expect([await step('stepBack'), await value('n')]).toEqual([3, '0'])
    expect(important()).toMatch(/built-in function/)
    await lua.breakAt(FILE)
    await lua.go()
    expect(await lua.stop()).toMatchObject({ reason: 'exception' })
    expect([await step('stepBack'), await value('n')]).toEqual([7, '2'])
    const [scope] = await lua.target.scopes((await lua.top()).id)
    await lua.target.setVariable(scope?.reference ?? 0, 'n', '5')
    await lua.go()
    expect(await lua.stop()).toMatchObject({ reason: 'exception' })
    await lua.go()
    expect(await lua.ended(run)).toMatchObject({ status: 'error', error: { evalue: expect.stringContaining('arithmetic on a nil value') } })
  })
})

describe('recorded code', () => {
  it('cannot tell that it is', async () => {
    const code = `local co, main = coroutine.running()
print(main, coroutine.isyieldable(), coroutine.status(co))
print(pcall(coroutine.yield, 1))
print(coroutine.wrap(function() return coroutine.isyieldable(), select(2, coroutine.running()) end)())
print(coroutine.wrap(function() return coroutine.status(co) end)())
print(select("#", debug.traceback("x"):gsub("\\n", "\\n")))
local t = setmetatable({}, {__close = function(_, e) print("closed", e) end})
do local c <close> = t end
goto over
::over::
return 5, 6`
    const plain = await debugLua()
    const first = await plain.ended(plain.begin(code, { source: FILE }))
    const second = await lua.ended(lua.begin(code, { source: FILE }))
    expect(second).toEqual(first)
    expect(lua.host.text()).toBe(plain.host.text())
    const failing = `local c <close> = setmetatable({}, {__close = function(_, e) print("closed", type(e)) end})
local function f()
  error({code = "x", message = "failed"})
end
f()`
    const outcomes = await Promise.all([plain, lua].map((engine) => engine.ended(engine.begin(failing, { source: FILE }))))
    expect(outcomes[1]).toEqual(outcomes[0])
    const text = `local function f()
  error("text")
end
f()`
    const texts = await Promise.all([plain, lua].map((engine) => engine.ended(engine.begin(text, { source: FILE }))))
    expect(texts[1]).toEqual(texts[0])
    expect(lua.host.text()).toBe(plain.host.text())
    await plain.engine.dispose()
  })

  it('is interrupted, exits, and runs out of memory as ever', async () => {
    const run = lua.begin('while true do\n  local x = 1\nend', program(FILE))
    await lua.target.pause(1)
    await lua.stop()
    await lua.engine.interrupt()
    expect(await lua.ended(run)).toMatchObject({ status: 'interrupted' })
    expect(await lua.run('os.exit(4)')).toMatchObject({ exit: { code: 4 } })
    expect(await lua.value('1 + 1')).toBe('2')
    const small = await debugLua({ recordHistory: true }, { memoryLimit: 48 * 1024 * 1024, historyLimit: 16 * 1024 * 1024 })
    const full = await small.run('local t = {}\nfor i = 1, 1e9 do\n  t[i] = ("x"):rep(1e6) .. i\nend')
    expect(full.error?.ename).toBe('OutOfMemory')
    expect(small.events).toContainEqual(expect.objectContaining({ text: expect.stringContaining('outgrown') }))
    expect(await small.value('1 + 1')).toBe('2')
    await small.engine.dispose()
  })

  it('keeps a bounded history', async () => {
    const small = await debugLua({ recordHistory: true }, { historyLimit: 3_000_000 })
    await small.breakAt(FILE, 4)
    const run = small.begin('local t = {}\nfor i = 1, 2500 do\n  t[i] = {i}\nend print(#t)', program(FILE))
    await small.stop()
    await small.breakAt(FILE)
    await small.go('reverseContinue')
    await small.stop()
    expect((await small.look('Locals'))['t']?.indexed).toBeGreaterThan(0)
    expect(
      small.events
        .filter((event) => event.type === 'output')
        .map(({ text }) => text)
        .join(''),
    ).toMatch(/forgotten/)
    await small.go()
    expect(await small.ended(run)).toMatchObject({ status: 'ok' })
    expect(small.host.text()).toBe('2500\n')
    await small.engine.dispose()
  })
})
