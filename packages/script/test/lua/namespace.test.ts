import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { luaEngineFactory } from '@llmspell/script/lua'
import { RecordingHost } from '@llmspell/script/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { type OpenEngine, openEngine, STEP_TIMEOUT_MS } from './open-engine.ts'

const MIB = 1024 * 1024

describe('Lua namespace', { timeout: 2 * STEP_TIMEOUT_MS }, () => {
  const opened: OpenEngine[] = []
  const directories: string[] = []
  const open = async (...args: Parameters<typeof openEngine>): Promise<OpenEngine> => {
    const engine = await openEngine(...args)
    opened.push(engine)
    return engine
  }
  const directory = (): string => {
    const path = realpathSync(mkdtempSync(join(tmpdir(), 'llmspell-lua-')))
    directories.push(path)
    return path
  }

  afterEach(async () => {
    for (const { engine } of opened.splice(0)) await engine.dispose()
    for (const path of directories.splice(0)) rmSync(path, { recursive: true, force: true })
  }, STEP_TIMEOUT_MS)

  describe('memory', () => {
    it('ends the cell at the limit with a clean error, and the state goes on', async () => {
      const { run, value, engine } = await open({ memoryLimit: 64 * MIB })
      await run('kept = "safe"')
      const local = await run('local t = {} for i = 1, math.huge do t[i] = ("x"):rep(1000) .. i end')
      expect(local).toMatchObject({ status: 'error', error: { ename: 'OutOfMemory' } })
      expect(local.error?.evalue).toBe('not enough memory (the limit is 64 MiB)')
      expect(local.error?.engineLost).toBeUndefined()
      expect(await value('kept')).toBe('safe')
      expect(engine.status.memoryBytes).toBeLessThan(72 * MIB)
    })

    it('leaves room to clean up what fills it', async () => {
      const { run, value } = await open({ memoryLimit: 64 * MIB })
      for (let round = 0; round < 3; round++) {
        const full = await run('t = t or {} for i = #t + 1, math.huge do t[i] = ("x"):rep(1000) .. i end')
        expect(full.error?.ename).toBe('OutOfMemory')
        expect(await value('#t > 100')).toBe('true')
      }
      expect(await value('t = nil collectgarbage() return collectgarbage("count") < 10000')).toBe('true')
      expect((await run('local t = {} for i = 1, 20000 do t[i] = ("x"):rep(1000) .. i end')).status).toBe('ok')
    })

    it.each([
      ['recursion', 'local function f() return 1 + f() end f()', 'stack overflow'],
      ['nested pcalls', 'local function f() return pcall(f) end assert(f())', ''],
      ['nested tables', 'local t = {} for i = 1, 1e5 do t = { t } end Agent.query(t)', 'nested'],
      ['a deep expression', 'load(("("):rep(1e5))()', 'attempt to call'],
      ['coroutines in coroutines', 'local function f() return coroutine.wrap(f)() end f()', 'C stack overflow'],
    ])('survives %s', async (_name, code, message) => {
      const { run, value } = await open()
      const outcome = await run(code)
      expect(outcome.error?.engineLost).toBeUndefined()
      if (message !== '') expect(outcome.error?.evalue).toContain(message)
      expect(await value('1 + 1')).toBe('2')
    })
  })

  describe('errors', () => {
    it('show where, through functions, without frames of the engine', async () => {
      const { run } = await open()
      const { error } = await run('local function cast()\n  error("fizzled")\nend\n\ncast()', { source: 'cell [3]' })
      expect(error).toEqual({
        ename: 'LuaError',
        evalue: 'cell [3]:2: fizzled',
        traceback: [
          'LuaError: cell [3]:2: fizzled',
          'stack traceback:',
          "  [C]: in function 'error'",
          "  cell [3]:2: in local 'cast'",
          '  cell [3]:5: in main chunk',
        ],
        position: { source: 'cell [3]', line: 2 },
      })
    })

    it.each([
      ['error({ code = 5, list = { 1 } })', '{code = 5, list = {1}}'],
      ['error(setmetatable({}, { __tostring = function() return "readable" end }))', 'readable'],
      ['error()', 'nil'],
      ['error(42)', '42'],
      ['error("no place", 0)', 'no place'],
      ['error(setmetatable({}, { __tostring = function() error("worse") end }))', ''],
    ])('%s', async (code, text) => {
      const { run, value } = await open()
      const outcome = await run(code)
      expect(outcome.status).toBe('error')
      if (text !== '') expect(outcome.error?.evalue).toBe(text)
      expect(await value('1')).toBe('1')
    })

    it('are readable when they are no text', async () => {
      const { run } = await open()
      expect((await run('error("\\xff broken", 0)')).error?.evalue).toBe('\uFFFD broken')
    })

    it.each([
      ['prnit("x")', 'Did you mean print?'],
      ['Agnet.query("x")', 'Did you mean Agent?'],
      ['Agent.qurey("x")', 'Did you mean Agent.query?'],
      ['("x"):uper()', 'Did you mean string.upper?'],
    ])('%s suggests the near name', async (code, hint) => {
      const { run } = await open()
      expect((await run(code)).error?.traceback[1]).toBe(hint)
    })

    it('suggest nothing that the script itself removed', async () => {
      const { run } = await open()
      expect((await run('print = nil print("x")')).error?.traceback[1]).toBe('stack traceback:')
    })

    it('of the engine keep their place when standard functions are gone', async () => {
      const { run } = await open()
      await run('error = nil type = nil tostring = nil string = nil table = nil debug = nil')
      expect((await run('\nComm.open()', { source: 'cell [5]' })).error).toMatchObject({
        evalue: "cell [5]:2: Comm.open: argument 1 'target' (string) is missing",
        traceback: expect.arrayContaining(['stack traceback:', '  cell [5]:2: in main chunk']),
      })
    })

    it('name syntax errors', async () => {
      const { run } = await open()
      expect((await run('x =\n= 1', { source: 'cell [2]' })).error).toEqual({
        ename: 'LuaSyntaxError',
        evalue: "cell [2]:2: unexpected symbol near '='",
        traceback: ["LuaSyntaxError: cell [2]:2: unexpected symbol near '='"],
        position: { source: 'cell [2]', line: 2 },
      })
    })

    it('of a question refused inside io.read end the cell', async () => {
      const { run, value, host } = await open()
      host.reply = () => Promise.reject(Object.assign(new Error('no input here'), { code: 'input.not_allowed' }))
      expect((await run('io.read()')).error?.evalue).toContain('no input here')
      expect(await value('1')).toBe('1')
    })
  })

  describe('files', () => {
    it('are found from the cwd of the execution, and modules beside the script', async () => {
      const { run, host } = await open()
      const home = directory()
      mkdirSync(join(home, 'lib'))
      writeFileSync(join(home, 'data.txt'), 'first\nsecond\n')
      writeFileSync(join(home, 'lib', 'spells.lua'), 'local M = {}\nfunction M.cast() error("fizzled") end\nreturn M\n')
      await run('for line in io.lines("data.txt") do print(line) end', { cwd: home })
      expect(host.text()).toBe('first\nsecond\n')
      const script = join(home, 'lib', 'main.lua')
      const { error } = await run('require("spells").cast()', { cwd: home, source: script, wantResult: false })
      expect(error?.evalue).toBe(`${join(home, 'lib', 'spells.lua')}:2: fizzled`)
      expect(error?.position).toEqual({ source: script, line: 1 })
    })

    it('belong to one execution: the next is back in the cwd of the engine', async () => {
      const home = directory()
      writeFileSync(join(home, 'here.txt'), '')
      const { value, run } = await open({ cwd: home })
      await run('', { cwd: directory() })
      expect(await value('io.open("here.txt") ~= nil')).toBe('true')
    })
  })

  describe('comms', () => {
    const message = { metadata: {}, buffers: [] }

    it('carry messages both ways', async () => {
      const { engine, run, host } = await open()
      await run(
        'c = Comm.open("widget", { value = 1 }) c:on_msg(function(data) print("got", data.value) c:send({ twice = data.value * 2 }) end)',
      )
      const [opened] = host.comms
      expect(opened).toMatchObject({ type: 'open', targetName: 'widget', data: { value: 1 } })
      const commId = opened?.commId ?? ''
      const arrived = await engine.comm({ ...message, type: 'msg', executionId: 'from front end', commId, data: { value: 21 } })
      expect(arrived).toBe(true)
      expect(host.text('stdout', 'from front end')).toBe('got\t21\n')
      expect(host.comms[1]).toMatchObject({ type: 'msg', executionId: 'from front end', commId, data: { twice: 42 } })
      await run('c:close({ bye = true })')
      expect(host.comms[2]).toMatchObject({ type: 'close', commId, data: { bye: true } })
      expect((await run('c:send(1)')).error?.evalue).toContain("the comm to 'widget' is closed")
      expect(await engine.comm({ ...message, type: 'msg', executionId: 'x', commId, data: {} })).toBe(false)
    })

    it('are opened from outside when a target is registered', async () => {
      const { engine, run, value } = await open()
      await run('Comm.register_target("echo", function(comm, data) first = data.hello comm:on_close(function() closed = true end) end)')
      const event = { ...message, executionId: 'x', commId: 'c1', data: { hello: 'there' } }
      expect(await engine.comm({ ...event, type: 'open', targetName: 'echo' })).toBe(true)
      expect(await value('first')).toBe('there')
      expect(await engine.comm({ ...event, type: 'close' })).toBe(true)
      expect(await value('closed')).toBe('true')
    })

    it('report errors of their callbacks on stderr', async () => {
      const { engine, run, host } = await open()
      await run('Comm.register_target("bad", function() error("oops") end)')
      await engine.comm({ ...message, type: 'open', targetName: 'bad', executionId: 'x', commId: 'c1', data: {} })
      expect(host.text('stderr', 'x')).toContain('oops')
    })

    it('that come together all run, and so does a cell between them', async () => {
      const { engine, run, value } = await open()
      await run('count = 0 Comm.register_target("many", function(comm) comm:on_msg(function() sleep(0.001) count = count + 1 end) end)')
      const event = { ...message, executionId: 'x', commId: 'c1', data: {} }
      await engine.comm({ ...event, type: 'open', targetName: 'many' })
      const arrived = Array.from({ length: 20 }, () => engine.comm({ ...event, type: 'msg' }))
      const cell = run('"between"')
      const more = Array.from({ length: 20 }, () => engine.comm({ ...event, type: 'msg' }))
      expect(await Promise.all([...arrived, ...more])).toEqual(Array.from({ length: 40 }, () => true))
      expect((await cell).status).toBe('ok')
      expect(await value('count')).toBe('40')
    })

    it('wait for the running cell', async () => {
      const { engine, run, begin, host } = await open()
      await run('Comm.register_target("late", function() print("opened") end)')
      host.answer = () => new Promise((resolve) => setTimeout(resolve, 50))
      const running = begin('Agent.query("x") print("cell done")')
      const event = { ...message, executionId: 'x', commId: 'c1', data: {} }
      expect(await engine.comm({ ...event, type: 'open', targetName: 'late' })).toBe(true)
      await running
      expect(host.text()).toBe('cell done\nopened\n')
    })
  })

  describe('looking', () => {
    const texts = async ({ engine }: OpenEngine, code: string): Promise<string[]> =>
      (await engine.complete(code, code.length, 'lua')).items.map((item) => item.text)

    it('completes globals of the catalogue with their signatures', async () => {
      const { engine } = await open()
      const { items } = await engine.complete('Agent.q', 7, 'lua')
      expect(items).toEqual([{ text: 'query', kind: 'function', signature: 'Agent.query(text: any): any' }])
      const display = await engine.complete('Display.upd', 11, 'lua')
      expect(display.items[0]?.signature).toBe('Display.update(id: string, value: any)')
    })

    it('completes fields, methods, locals, keywords and strings', async () => {
      const engine = await open()
      await engine.run('wizard = setmetatable({ name = "m" }, { __index = { cast = function(self, spell) end } })')
      expect(await texts(engine, 'wizard.')).toEqual(expect.arrayContaining(['name', 'cast']))
      expect(await texts(engine, 'wizard:')).toEqual(['cast'])
      expect(await texts(engine, 'local magic = 1 print(mag')).toContain('magic')
      expect(await texts(engine, 'repe')).toContain('repeat')
      expect(await texts(engine, '("x"):re')).toEqual(expect.arrayContaining(['rep', 'reverse']))
      expect(await texts(engine, '-- wizard.')).toEqual([])
    })

    it('runs no code of the script', async () => {
      const engine = await open()
      await engine.run('trap = setmetatable({}, { __index = function() error("touched") end, __pairs = error, __tostring = error })')
      expect(await texts(engine, 'trap.')).toEqual([])
      expect(await engine.engine.inspect('trap', 4, 1, 'lua')).toBeDefined()
      expect(await engine.engine.variables()).toMatchObject([{ name: 'trap', type: 'table' }])
    })

    it('documents the catalogue, the built-in globals and the standard library', async () => {
      const { engine, run } = await open()
      const text = async (code: string): Promise<string> => String((await engine.inspect(code, code.length, 0, 'lua'))?.['text/plain'])
      expect(await text('Agent.query')).toContain('Agent.query(text: any): any\n\nAnswers.')
      expect(await text('Agent')).toContain('Calls of the tests.')
      expect(await text('Display.table')).toContain('Shows rows as a table.')
      expect(await text('sleep')).toContain('An interrupt ends the wait.')
      expect(await text('string.rep(')).toContain('string.rep(')
      await run('function sleep(mine) end')
      expect(await text('sleep')).toContain('sleep(mine)')
    })

    it('lists what the user defined or replaced, in short', async () => {
      const { engine, run } = await open()
      await run('a = { 1, 2 } b = "text" c = 1.5 function d(x) end print = print sleep = nil')
      expect(await engine.variables()).toEqual([
        { name: 'a', type: 'table', preview: '{…} (2 items)' },
        { name: 'b', type: 'string', preview: '"text"' },
        { name: 'c', type: 'float', preview: '1.5' },
        { name: 'd', type: 'function', preview: 'function(x) --[[ cell [1]:1 ]]' },
      ])
    })

    it('answers from the catalogue alone while a C function runs', async () => {
      const { engine, begin, host } = await open()
      const running = begin('Agent.query("begin"); ("a"):rep(30000):gsub(("a*"):rep(8) .. "b", "")')
      await host.until('the cell', () => host.calls.length === 1, STEP_TIMEOUT_MS)
      const { items } = await engine.complete('Agent.q', 7, 'lua')
      expect(items.map((item) => item.text)).toEqual(['query'])
      await engine.interrupt()
      await running
    })
  })

  it('tells what is incomplete', async () => {
    const { engine } = await open()
    const status = async (code: string): Promise<unknown> => (await engine.isComplete(code, 'lua')).status
    for (const code of ['x = 1', 'x', 'f()', '1 +\n1', 'for i = 1, 2 do\nend', ''])
      expect([code, await status(code)]).toEqual([code, 'complete'])
    for (const code of ['if x then', 'f(', '{', 'x = [[', 'function f()', 'x =', '1 +', '--[['])
      expect([code, await status(code)]).toEqual([code, 'incomplete'])
    for (const code of ['x = )', 'end', '"open', 'for = 1']) expect([code, await status(code)]).toEqual([code, 'invalid'])
    expect(await engine.isComplete('if x then\n  while true do', 'lua')).toEqual({ status: 'incomplete', indent: '    ' })
  })

  it('that cannot start says so and does not try for ever', async () => {
    const host = new RecordingHost()
    const engine = luaEngineFactory({ catalogue: [] }).create(host, { cwd: process.cwd(), env: {}, memoryLimit: 1000 })
    await expect(engine.start()).rejects.toThrow('not enough memory')
    const outcome = await engine.execute({ executionId: 'e', code: '1', language: 'lua', source: 'cell', wantResult: true })
    expect(outcome).toMatchObject({ status: 'error', error: { ename: 'EngineCrashed' } })
    await engine.dispose()
  })

  it('knows the version of its Lua', () => {
    const { version } = JSON.parse(readFileSync(new URL('../../../lua/wasm/source.json', import.meta.url), 'utf8')) as { version: string }
    expect(luaEngineFactory({ catalogue: [] }).versions).toEqual({ lua: version })
  })

  it('disposed while it starts ends its worker', async () => {
    const engine = luaEngineFactory({ catalogue: [] }).create(new RecordingHost(), { cwd: process.cwd(), env: {} })
    const starting = engine.start()
    await engine.dispose()
    await expect(starting).rejects.toThrow('shut down')
    expect(engine.status.state).toBe('disposed')
  })

  it('runs many namespaces that know nothing of each other', async () => {
    const engines = await Promise.all(Array.from({ length: 4 }, () => open()))
    await Promise.all(engines.map(({ run }, index) => run(`mine = ${index}`)))
    expect(await Promise.all(engines.map(({ value }) => value('mine')))).toEqual(['0', '1', '2', '3'])
  })
})
