import { LlmspellError } from '@llmspell/base'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type OpenEngine, openEngine, STEP_TIMEOUT_MS } from './open-engine.ts'

describe('Lua values and globals', { timeout: STEP_TIMEOUT_MS }, () => {
  let open: OpenEngine

  beforeAll(async () => {
    open = await openEngine()
    open.host.answer = (call) => call.args[0]
  }, STEP_TIMEOUT_MS)

  afterAll(() => open.engine.dispose(), STEP_TIMEOUT_MS)

  it.each([
    ['"text"', 'text'],
    ['1, "two", nil, true', '1\ttwo\tnil\ttrue'],
    ['{}', '{}'],
    ['{ 1, 2, 3 }', '{1, 2, 3}'],
    ['{ 1, nil, 3 }', '{1, nil, 3}'],
    [
      '{ b = 1, a = "x\\ny", [10] = true, ["not a name"] = 1.5, ["end"] = 0 }',
      '{[10] = true, a = "x\\ny", b = 1, ["end"] = 0, ["not a name"] = 1.5}',
    ],
    ['local t = { 1 } t.self = t return t', '{1, self = <cycle>}'],
    ['setmetatable({}, { __tostring = function() return "a wand" end })', 'a wand'],
    ['setmetatable({ oak = 1 }, { __name = "Wand" })', 'Wand {oak = 1}'],
    ['function(a, b, ...) end', 'function(a, b, ...) --[[ cell [N]:1 ]]'],
    ['print', 'function: built-in'],
    ['Agent.query', 'function: built-in'],
    ['coroutine.create(print)', 'thread: suspended'],
    ['0/0 ~= 0/0, 1/0, -1/0, 2^63, math.mininteger', 'true\tinf\t-inf\t9.2233720368548e+18\t-9223372036854775808'],
    ['"\\xff\\0"', '\uFFFD\0'],
    ['{ "\\xff", "\\0" }', '{"\\xFF", "\\0"}'],
  ])('shows %s', async (code, shown) => {
    const text = String(await open.value(code))
    expect(text.replace(/cell \[\d+\]/, 'cell [N]')).toBe(shown)
  })

  it('breaks long tables into lines and bounds huge ones', async () => {
    expect(await open.value('{ name = ("x"):rep(50), list = { ("y"):rep(40), 2 } }')).toBe(
      `{\n  list = {"${'y'.repeat(40)}", 2},\n  name = "${'x'.repeat(50)}"\n}`,
    )
    const huge = String(await open.value('local t = {} for i = 1, 1e5 do t[i] = { i, tostring(i) } end return t'))
    expect(huge.length).toBeLessThan(100_000)
    expect(huge).toContain('more')
    const deep = String(await open.value('local t = {} for i = 1, 1000 do t = { t } end return t'))
    expect(deep).toContain('{…}')
  })

  it('keeps globals between cells and ends locals with theirs', async () => {
    await open.run('local mine = 1 ours = 2')
    expect(await open.value('type(mine) .. " " .. type(ours)')).toBe('nil number')
  })

  it('gives the last expression of several lines', async () => {
    expect(await open.value('local a = 20\nlocal b = 22\na + b')).toBe('42')
    expect(await open.value('x = 5\nif x then\n  y = 1\nend')).toBeUndefined()
    expect((await open.run('1 + 1', { wantResult: false })).error?.ename).toBe('LuaSyntaxError')
  })

  it('takes programs with a first line for the shell, with arguments', async () => {
    const code = '#!/usr/bin/env llmspell\nprint(Args[1], #Args, arg[0], arg[2], ...)'
    const outcome = await open.run(code, { source: '/spells/first.lua', args: ['one', 'two'], wantResult: false })
    expect(outcome).toEqual({ status: 'ok' })
    expect(open.host.text()).toMatch(/one\t2\t\/spells\/first.lua\ttwo\tone\ttwo\n$/)
  })

  describe('host calls', () => {
    it.each([
      ['in a pcall', 'select(2, pcall(Agent.query, "x"))'],
      ['in a metamethod', 'setmetatable({}, { __index = function(_, key) return Agent.query(key) end }).x'],
      ['in a coroutine', 'coroutine.wrap(function() return Agent.query("x") end)()'],
      [
        'in a sort comparator',
        'local t = { 3, 1, 2 } table.sort(t, function(a, b) return Agent.query(a) < Agent.query(b) end) return t[1] == 1 and "x"',
      ],
      ['in a gsub callback', '(("y"):gsub("y", function() return Agent.query("x") end))'],
      ['in __tostring under print', 'tostring(setmetatable({}, { __tostring = function() return Agent.query("x") end }))'],
      ['in __close', 'local r do local _ <close> = setmetatable({}, { __close = function() r = Agent.query("x") end }) end return r'],
      ['in __gc', 'done = nil setmetatable({}, { __gc = function() done = Agent.query("x") end }) collectgarbage() return done'],
      ['in a nested load', 'load("return Agent.query(...)")("x")'],
    ])('work %s', async (_where, code) => {
      expect(await open.value(code)).toBe('x')
    })

    it('pass data both ways unchanged', async () => {
      const data = { text: '☃', number: 1.5, integer: 7, flag: true, list: [1, 'two', [3]], nested: { empty: {} } }
      open.host.answer = () => data
      expect(
        await open.value('r = Agent.query("x") return r.text, r.number, r.integer, r.flag, #r.list, r.list[3][1], next(r.nested.empty)'),
      ).toBe('☃\t1.5\t7\ttrue\t3\t3\tnil')
      open.host.answer = (call) => call.args[0]
      await open.run('Agent.query(r)')
      expect(open.host.calls.at(-1)?.args).toEqual([data])
    })

    it('keep null, big integers and bytes', async () => {
      open.host.answer = () => ({ nothing: null, list: [null, 1] })
      expect(await open.value('r = Agent.query("x") return r.nothing == JSON.null, r.list[1] == JSON.null, #r.list')).toBe('true\ttrue\t2')
      open.host.answer = () => undefined
      await open.run('Agent.query({ r, math.maxinteger, "\\xff\\xfe" })')
      expect(open.host.calls.at(-1)?.args).toEqual([[{ nothing: null, list: [null, 1] }, 9223372036854775807n, new Uint8Array([255, 254])]])
    })

    it.each([
      ['{ print }', 'Agent.query cannot take a function'],
      ['{ [1.5] = 2 }', 'Agent.query cannot take a table whose keys are neither names nor 1 to n'],
      ['(function() local t = {} t.t = t return t end)()', 'Agent.query cannot take a table that contains itself'],
    ])('refuse %s', async (argument, message) => {
      const { error } = await open.run(`Agent.query(${argument})`)
      expect(error?.evalue).toContain(message)
    })

    it('raise failures as tables that read like messages', async () => {
      open.host.answer = () => {
        throw new LlmspellError('no such spell', { code: 'spell.missing', data: { name: 'x' }, hint: 'Try another.' })
      }
      const code =
        'ok, e = pcall(function() Agent.query("x") end)\nprint(ok, e.code, e.message, e.data.name, e.hint)\nprint(e)\nprint("failed: " .. e)'
      await open.run(code, { source: 'cell [9]' })
      expect(open.host.text()).toMatch(
        /false\tspell.missing\tno such spell\tx\tTry another.\ncell \[9\]:1: no such spell\nfailed: cell \[9\]:1: no such spell\n$/,
      )
      const { error } = await open.run('\nAgent.query("x")', { source: 'cell [10]' })
      expect(error).toEqual({
        ename: 'LuaError',
        evalue: 'cell [10]:2: no such spell',
        traceback: ['LuaError: cell [10]:2: no such spell', 'Try another.', 'stack traceback:', '  cell [10]:2: in main chunk'],
        position: { source: 'cell [10]', line: 2 },
      })
    })
  })

  describe('JSON', () => {
    it.each([
      ['JSON.stringify({ 1, 2, { a = "b" } })', '[1,2,{"a":"b"}]'],
      ['JSON.stringify({ n = JSON.null, f = 1.5, i = 2^31, b = false })', '{"n":null,"f":1.5,"i":2147483648,"b":false}'],
      ['JSON.stringify(JSON.parse("[[],{}]"))', '[[],{}]'],
      ['JSON.stringify({}), JSON.stringify(nil), JSON.stringify("é")', '{}\tnull\t"é"'],
      ['JSON.stringify(math.maxinteger)', '9223372036854775807'],
      ['JSON.stringify({ 1 }, 2)', '[\n  1\n]'],
      [
        'JSON.parse("null") == JSON.null, tostring(JSON.null), math.type(JSON.parse("3")), math.type(JSON.parse("3.5"))',
        'true\tnull\tinteger\tfloat',
      ],
      ['#JSON.parse("[1,null,3]")', '3'],
    ])('%s', async (code, shown) => {
      const text = String(await open.value(code))
      if (shown.startsWith('{"n"')) expect(JSON.parse(text)).toEqual(JSON.parse(shown))
      else expect(text).toBe(shown)
    })

    it.each([
      ['JSON.parse("{")', 'JSON.parse: '],
      ['JSON.parse(7)', "JSON.parse: argument 1 'text' must be string, got number 7"],
      ['JSON.stringify(0/0)', 'JSON has no way to write the number NaN'],
      ['JSON.stringify({ print })', 'JSON.stringify cannot take a function'],
      ['JSON.stringify("\\xff")', 'JSON has no way to write text that is not UTF-8'],
    ])('%s fails', async (code, message) => {
      expect((await open.run(code)).error?.evalue).toContain(message)
    })
  })

  describe('display', () => {
    const shown = async (code: string): Promise<unknown> => {
      open.host.outputs.length = 0
      expect((await open.run(code)).status).toBe('ok')
      const [output] = open.host.outputs
      return output?.type === 'display' ? { ...output, executionId: undefined } : output
    }

    it('shows any value as text, bundles as they are', async () => {
      expect(await shown('display({ 1, 2 })')).toMatchObject({ data: { 'text/plain': '{1, 2}' }, metadata: {} })
      expect(await shown('display(nil)')).toMatchObject({ data: { 'text/plain': 'nil' } })
      expect(await shown('display({ ["text/html"] = "<b>x</b>", ["text/plain"] = "x" })')).toMatchObject({
        data: { 'text/html': '<b>x</b>', 'text/plain': 'x' },
      })
    })

    it('asks a value for its own bundle, also as the value of a cell', async () => {
      await open.run(
        'wand = setmetatable({}, { __mimebundle = function() return { ["text/plain"] = "wand", ["text/html"] = "<i>wand</i>" } end })',
      )
      expect(await shown('display(wand)')).toMatchObject({ data: { 'text/html': '<i>wand</i>' } })
      expect((await open.run('wand')).result).toEqual({ 'text/plain': 'wand', 'text/html': '<i>wand</i>' })
    })

    it('of a bundle that cannot be shown is an error, not the end of the engine', async () => {
      const { error } = await open.run('setmetatable({}, { __mimebundle = function() return { ["text/plain"] = print } end })')
      expect(error).toMatchObject({ ename: 'LuaError', evalue: 'display cannot take a function' })
      expect(error?.engineLost).toBeUndefined()
    })

    it('updates by id, clears, and takes metadata', async () => {
      expect(await shown('display("a", { id = "p", metadata = { x = 1 } })')).toMatchObject({ displayId: 'p', metadata: { x: 1 } })
      expect(await shown('Display.update("p", "b")')).toMatchObject({ displayId: 'p', update: true, data: { 'text/plain': 'b' } })
      expect(await shown('Display.clear(true)')).toMatchObject({ type: 'clear', wait: true })
    })

    it('shows tables, JSON, charts and pictures', async () => {
      expect(await shown('Display.table({ { a = 1 }, { a = 2 } })')).toMatchObject({ data: { 'text/plain': 'a\n-\n1\n2' } })
      expect(await shown('Display.table({})')).toMatchObject({ data: { 'text/plain': '' } })
      expect(await shown('Display.json({ a = { JSON.null } })')).toMatchObject({ data: { 'application/json': { a: [null] } } })
      expect(await shown('Display.vega({ mark = "bar" })')).toMatchObject({ data: { 'application/vnd.vegalite.v5+json': { mark: 'bar' } } })
      const png = 'iVBORw0KGgoAAAANSUhEUgAAAAIAAAADCAYAAAC56t6BAAAAFUlEQVR4nGP4z8DwHwyBLCCLAcYAAH3aB/nv1k1GAAAAAElFTkSuQmCC'
      expect(await shown(`Display.png("${png}")`)).toMatchObject({ data: { 'image/png': png } })
    })

    it('refuses wrong arguments with a suggestion', async () => {
      expect((await open.run('Display.html(5)')).error?.evalue).toContain("Display.html: argument 1 'html' must be string, got number 5")
      expect((await open.run('display(1, { di = "x" })')).error?.evalue).toContain("unknown field 'di' in 'options'; did you mean 'id'?")
      expect((await open.run('Display.table("x")')).error?.evalue).toContain("argument 1 'rows' must be array")
    })
  })

  it('logs to the kernel', async () => {
    await open.run('Log.warn("careful", { spell = "x" }) Log.debug("quiet")')
    expect(open.host.logs).toEqual([
      { level: 'warn', message: 'careful', fields: { spell: 'x' } },
      { level: 'debug', message: 'quiet' },
    ])
  })

  it('asks for passwords without echo', async () => {
    open.host.reply = async () => 'hunter2'
    expect(await open.value('input("? ", { password = true })')).toBe('hunter2')
    expect(open.host.prompts.at(-1)).toEqual({ prompt: '? ', password: true })
    expect((await open.run('input("? ", { pasword = true })')).error?.evalue).toContain("did you mean 'password'?")
  })

  it('reads lines and numbers with io.read', async () => {
    open.host.reply = async () => '42'
    expect(await open.value('io.read("n") + 1')).toBe('43')
    open.host.reply = async () => 'a line'
    expect(await open.value('io.read()\nio.read()')).toBe('a line')
    open.host.reply = async () => undefined
    expect(await open.value('io.read() == nil')).toBe('true')
  })
})
