import { delay } from '@llmspell/base'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DebuggedLua, debugLua, program } from './debug-engine.ts'

const FILE = '/nowhere/data.lua'

let lua: DebuggedLua

beforeEach(async () => {
  lua = await debugLua()
})

afterEach(async () => {
  await lua.engine.dispose()
})

const CODE = `local outer, list = 10, {1, 2, 3}
made = "global"
local function f(a, ...)
  local a = a + outer
  local long = ("x"):rep(100000000)
  for i, v in ipairs(list) do
    local inner = v
    print(i, inner, a, outer, made, list[1], select("#", ...), (...))
  end
end
f(1, "one", nil)`

describe('variables', () => {
  it('are text where a client copies or logs them, whatever bytes they have', async () => {
    await lua.breakAt(FILE, { line: 4, logMessage: '{bytes} {list} {named .. "}"} {{bytes}}' }, 4)
    const run = lua.begin(
      'local bytes = "ü\\xFF\\0"\nlocal list = { 1, "two" }\nlocal named = setmetatable({}, { __concat = function(_, b) return "<" .. b end })\nprint(1)',
      program(FILE),
    )
    await lua.stop()
    const logged = lua.events.find((event) => event.type === 'output' && event.category === 'console')
    expect(logged).toMatchObject({ text: 'ü\\xFF\0 {1, "two"} <} {"ü\\xFF\\0"}\n' })
    const { id } = await lua.top()
    expect((await lua.target.evaluate('bytes', id, 'clipboard')).value).toBe('ü\\xFF\0')
    expect((await lua.look('Locals')).bytes?.value).toBe('"ü\\xFF\\0"')
    await expect(lua.target.evaluate('error(bytes)', id, 'watch')).rejects.toThrow('ü\\xFF')
    await lua.go()
    await lua.ended(run)
  })

  it('of a function have no expression that leads to them', async () => {
    await lua.breakAt(FILE, 3)
    const run = lua.begin('local kept = { 1 }\nlocal function f() return kept end\nprint(f)', program(FILE))
    await lua.stop()
    const { f } = await lua.look('Locals')
    const [kept] = await lua.target.variables(f?.reference ?? 0, {})
    expect(kept).toMatchObject({ name: 'kept', value: '{1}' })
    expect(kept).not.toHaveProperty('evaluateName')
    await lua.go()
    await lua.ended(run)
  })

  it('are told apart by scope, and shadowed ones by name', async () => {
    await lua.breakAt(FILE, { line: 8, hitCondition: '2' })
    const run = lua.begin(CODE, program(FILE))
    await lua.stop()
    const scopes = await lua.target.scopes((await lua.top()).id)
    expect(scopes.map(({ name, named, indexed, expensive }) => [name, named ?? indexed, expensive])).toEqual([
      ['Locals', 6, false],
      ['Varargs', 2, false],
      ['Upvalues', 2, false],
      ['Globals', undefined, true],
    ])
    const locals = await lua.look('Locals')
    expect(Object.entries(locals).map(([name, { value }]) => [name, value.length > 20 ? value.length : value])).toEqual([
      ['a (shadowed)', '1'],
      ['a', '11'],
      ['long', `"${'x'.repeat(200)}"… (100000000 bytes)`.length],
      ['i', '2'],
      ['v', '2'],
      ['inner', '2'],
    ])
    expect(Object.values(await lua.look('Varargs')).map(({ name, value, evaluateName }) => [name, value, evaluateName])).toEqual([
      ['[1]', '"one"', '(select(1, ...))'],
      ['[2]', 'nil', '(select(2, ...))'],
    ])
    expect(Object.keys(await lua.look('Upvalues'))).toEqual(['outer', 'list'])
    const globals = await lua.look('Globals')
    expect(Object.keys(globals)).toEqual(['made', '[[built-in]]'])
    const builtIn = await lua.target.variables(globals['[[built-in]]']?.reference ?? 0, {})
    expect(builtIn.map(({ name }) => name)).toEqual(expect.arrayContaining(['print', 'string', 'State'].slice(0, 2)))
    await lua.go()
    await lua.ended(run)
  })

  it('of every scope are set, and the program sees it', async () => {
    await lua.breakAt(FILE, { line: 8, condition: 'i == 2' })
    const run = lua.begin(CODE, program(FILE))
    await lua.stop()
    const set = async (scopeName: string, name: string, value: string): Promise<string> => {
      const scope = (await lua.target.scopes((await lua.top()).id)).find((candidate) => candidate.name === scopeName)
      return (await lua.target.setVariable(scope?.reference ?? 0, name, value)).value
    }
    expect(await set('Locals', 'a', 'a + outer + 1')).toBe('22')
    expect(await set('Locals', 'inner', '{1}')).toBe('{1}')
    expect(await set('Varargs', '[1]', '"changed"')).toBe('"changed"')
    expect(await set('Upvalues', 'outer', '99')).toBe('99')
    expect(await set('Globals', 'made', '"new"')).toBe('"new"')
    const list = (await lua.look('Upvalues'))['list']
    expect((await lua.target.setVariable(list?.reference ?? 0, '[1]', '7')).value).toBe('7')
    const inner = (await lua.look('Locals'))['inner']
    expect(inner).toMatchObject({ indexed: 1, named: 0 })
    expect((await lua.target.setExpression('inner', (await lua.top()).id, '5')).value).toBe('5')
    await lua.go()
    await lua.ended(run)
    expect(lua.host.text().split('\n')[1]).toBe('2\t5\t22\t99\tnew\t7\t2\tchanged')
  })

  it('can be evaluated again by their names', async () => {
    const code = `local t = {deep = {["a b"] = {true}, [5] = "five"}} setmetatable(t, {kind = "meta"})
local stop = t`
    await lua.breakAt(FILE, 2)
    const run = lua.begin(code, program(FILE))
    await lua.stop()
    const frame = (await lua.top()).id
    const check = async (reference: number, depth: number): Promise<void> => {
      for (const variable of await lua.target.variables(reference, {})) {
        const again = await lua.target.evaluate(variable.evaluateName ?? 'error("no name")', frame, 'watch')
        expect(again.value).toBe(variable.value)
        if (variable.reference !== 0 && depth > 0) await check(variable.reference, depth - 1)
      }
    }
    const locals = await lua.look('Locals')
    await check(locals['t']?.reference ?? 0, 3)
    await lua.go()
    await lua.ended(run)
  })

  it('are gone when the script goes on', async () => {
    await lua.breakAt(FILE, 8)
    const run = lua.begin(CODE, program(FILE))
    await lua.stop()
    const frame = await lua.top()
    const [scope] = await lua.target.scopes(frame.id)
    const long = (await lua.look('Locals'))['long']
    await lua.go()
    await lua.stop()
    for (const refused of [
      lua.target.scopes(frame.id),
      lua.target.variables(scope?.reference ?? 0, {}),
      lua.target.evaluate('a', frame.id, 'watch'),
      lua.target.readMemory(long?.memoryReference ?? '', 0, 1),
      lua.target.setVariable(scope?.reference ?? 0, 'a', '1'),
      lua.target.scopes(-1),
    ])
      await expect(refused).rejects.toMatchObject({ code: 'debug.stale_reference' })
    await lua.breakAt(FILE)
    await lua.go()
    await lua.ended(run)
  })

  it('of a huge string and a huge table answer at once, a piece at a time', async () => {
    const code = `local s = ("x"):rep(100000000) .. "end"
local t = {} for i = 1, 1000000 do t[i] = i end for i = 1, 100000 do t["k" .. i] = i end
local stop = 1`
    await lua.breakAt(FILE, 3)
    const run = lua.begin(code, program(FILE))
    await lua.stop()
    const { s, t } = await lua.look('Locals')
    expect(s?.value.length).toBeLessThan(300)
    const { data, unreadable } = await lua.target.readMemory(s?.memoryReference ?? '', 99_999_998, 10)
    expect([Buffer.from(data).toString(), unreadable]).toEqual(['xxend', 5])
    expect(t).toMatchObject({ indexed: 1_000_000, named: 100_000 })
    const page = await lua.target.variables(t?.reference ?? 0, { filter: 'indexed', start: 999_990, count: 100 })
    expect(page.map(({ name }) => name)).toEqual(Array.from({ length: 10 }, (_, i) => `[${999_991 + i}]`))
    expect(await lua.target.variables(t?.reference ?? 0, {})).toHaveLength(10_000)
    expect(await lua.target.variables(t?.reference ?? 0, { filter: 'named', start: 99_999, count: 100 })).toHaveLength(1)
    await lua.go()
    await lua.ended(run)
  })

  it('of a deep stack are found a frame at a time', async () => {
    const code = `local function down(n)
  if n == 0 then return 0 end
  return 1 + down(n - 1)
end
print(down(150000))`
    await lua.breakAt(FILE, { line: 2, condition: 'n == 0' })
    const run = lua.begin(code, program(FILE))
    await lua.stop()
    const { frames, total } = await lua.target.stackTrace(1, 0, 20)
    expect(frames).toHaveLength(20)
    expect(total).toBeGreaterThan(150_000)
    const [far] = (await lua.target.stackTrace(1, 5_000, 1)).frames
    expect((await lua.target.evaluate('n', far?.id, 'watch')).value).toBe('5000')
    expect((await lua.target.stackTrace(1, 0, 0)).frames).toHaveLength(10_000)
    const { frames: last } = await lua.target.stackTrace(1, total === undefined ? 0 : total - 2, 100)
    expect(last.map(({ name, line }) => [name, line])).toEqual([
      ['down', 3],
      ['main chunk', 5],
    ])
    expect(await lua.target.stackTrace(1, 10_000_000, 5)).toEqual({ frames: [], total })
    await lua.go()
    await lua.ended(run)
    expect(lua.host.text()).toBe('150000\n')
  })
})

describe('evaluation', () => {
  it('that never ends is interrupted: by a limit, by the kernel, by leaving', { timeout: 60_000 }, async () => {
    const endless = 'while true do pcall(function() end) end'
    const watched = lua.target.evaluate(`(function() ${endless} end)()`, undefined, 'watch')
    await expect(watched).rejects.toMatchObject({ code: 'debug.evaluation_failed' })
    const idle = lua.target.evaluate(endless, undefined, 'repl').catch((error: unknown) => error)
    await delay(100)
    await lua.engine.interrupt()
    expect(await idle).toMatchObject({ code: 'debug.evaluation_failed', message: 'the evaluation was interrupted' })
    await lua.breakAt(FILE, 2)
    const run = lua.begin('x = 1\nx = 2\nprint(x)', program(FILE))
    await lua.stop()
    const stopped = lua.target.evaluate(endless, (await lua.top()).id, 'repl').catch((error: unknown) => error)
    await delay(100)
    await lua.target.detach()
    expect(await stopped).toMatchObject({ code: 'debug.evaluation_failed' })
    expect(await lua.ended(run)).toMatchObject({ status: 'ok' })
    expect(lua.host.text()).toBe('2\n')
  })

  it('calls the kernel, prints, and ends the script by os.exit', async () => {
    lua.host.answer = () => 'answered'
    await lua.breakAt(FILE, 1)
    const run = lua.begin('local x = 1\nprint("not reached")', program(FILE))
    await lua.stop()
    const frame = (await lua.top()).id
    expect((await lua.target.evaluate('Agent.query("x")', frame, 'repl')).value).toBe('"answered"')
    expect((await lua.target.evaluate('print("from the debugger")', frame, 'repl')).value).toBe('')
    await lua.host.until('the output', () => lua.host.text() === 'from the debugger\n')
    await lua.target.evaluate('os.exit(3)', frame, 'repl').catch(() => undefined)
    expect(await lua.ended(run)).toMatchObject({ exit: { code: 3 } })
  })

  it('renders values as cells do', async () => {
    await lua.run('chart = setmetatable({}, {__mimebundle = function() return {["text/html"] = "<b>x</b>"} end})')
    expect(await lua.target.render?.('chart', undefined)).toMatchObject({ data: { 'text/html': '<b>x</b>', 'text/plain': 'x' } })
    expect(await lua.target.render?.('{1, 2}', undefined)).toMatchObject({ data: { 'text/plain': '{1, 2}' } })
    await expect(lua.target.render?.('nope.x', undefined)).rejects.toMatchObject({ code: 'debug.evaluation_failed' })
  })
})

describe('errors', () => {
  const stops = async (code: string, filters: Parameters<typeof lua.target.setExceptionFilters>[0]): Promise<unknown[]> => {
    await lua.target.setExceptionFilters(filters)
    const run = lua.begin(code, program(FILE))
    let over = false
    void run.then(() => {
      over = true
    })
    const seen: unknown[] = []
    for (;;) {
      const wanted = lua.events.filter(({ type }) => type === 'stopped').length
      const before = seen.length
      while (!over && lua.events.filter(({ type }) => type === 'stopped').length <= taken) await delay(5)
      if (over && lua.events.filter(({ type }) => type === 'stopped').length <= taken) return seen
      taken++
      const stop = await lua.stop()
      const info = await lua.target.exceptionInfo(stop.threadId)
      seen.push([stop.reason, (await lua.top()).line, info?.id, info?.description, info?.uncaught])
      expect(seen.length).toBe(before + 1)
      expect(wanted).toBeGreaterThanOrEqual(0)
      await lua.go()
    }
  }
  let taken = 0
  beforeEach(() => {
    taken = 0
  })

  it('are met once, with the stack alive, caught and uncaught', async () => {
    const all = [{ filter: 'caught' }, { filter: 'uncaught' }] as const
    expect(await stops('pcall(function()\n  error("one")\nend)', all)).toEqual([
      ['exception', 2, 'LuaError', 'data.lua:2: one'.replace('data.lua', FILE), false],
    ])
    expect(await stops('local f = coroutine.wrap(function()\n  error("two")\nend)\nf()', all)).toEqual([
      ['exception', 2, 'LuaError', `${FILE}:2: two`, true],
    ])
    expect(await stops('xpcall(function()\n  local x = nil + 1\nend, debug.traceback)', all)).toEqual([
      ['exception', 2, 'LuaError', `${FILE}:2: attempt to perform arithmetic on a nil value`, false],
    ])
    expect(
      await stops('local co = coroutine.create(function()\n  error({code = "mine", message = "three"})\nend)\ncoroutine.resume(co)', all),
    ).toEqual([['exception', 2, 'mine', 'three', false]])
    expect(await stops('load("x =")\nlocal ok = pcall(require, "no.such.module")', all)).toEqual([
      ['exception', 2, 'LuaError', expect.stringContaining("module 'no.such.module' not found"), false],
    ])
    expect(await stops('x = = 1', all)).toEqual([])
    expect(await stops('local function f() return f() + 1 end\npcall(f)', [{ filter: 'uncaught' }])).toEqual([])
    expect(await stops('pcall(error, "a")\npcall(error, "b")', [{ filter: 'caught', condition: '1 == 2' }])).toEqual([])
  })

  it('of a stack that has overflown', async () => {
    const [[reason, line, , description]] = (await stops('local function f() return f() + 1 end\nf()', [{ filter: 'uncaught' }])) as [
      unknown[],
    ]
    expect([reason, line]).toEqual(['exception', 1])
    expect(description).toMatch(/stack overflow/)
  })

  it('of tools and providers by what failed', async () => {
    lua.host.answer = () => {
      throw new Error('refused')
    }
    const call = 'local ok = pcall(Agent.query, "x")'
    expect(await stops(call, [{ filter: 'tool' }])).toEqual([])
    expect(await stops(call, [{ filter: 'provider' }])).toEqual([['exception', 1, 'LuaError', 'refused', false]])
    expect(await stops('pcall(error, "x")', [{ filter: 'provider' }])).toEqual([])
  })
})

describe('whatever the script does', () => {
  it('an engine is disposed of at once', async () => {
    await lua.breakAt(FILE, 1)
    const run = lua.begin('local x = 1', program(FILE))
    await lua.stop()
    const evaluating = lua.target.evaluate('while true do end', undefined, 'repl').catch((error: unknown) => error)
    await delay(50)
    await lua.engine.dispose()
    expect(await evaluating).toBeInstanceOf(Error)
    expect((await lua.ended(run)).status).toBe('error')
    await expect(lua.target.threads()).resolves.toEqual([{ id: 1, name: 'main' }])
    await lua.target.detach()
  })

  it('an interrupt unwinds it where it stands, also under pcall and in coroutines', async () => {
    await lua.breakAt(FILE, 3)
    const code = `while true do
  pcall(coroutine.wrap(function()
    local x = 1
  end))
end`
    const run = lua.begin(code, program(FILE))
    await lua.stop()
    await lua.engine.interrupt()
    expect(await lua.ended(run)).toMatchObject({ status: 'interrupted' })
    expect(lua.events.at(-1)).toMatchObject({ type: 'continued' })
    const again = lua.begin(code, program(FILE))
    await lua.stop()
    await lua.engine.interrupt()
    await lua.ended(again)
  })
})
