import { describe, expect, it } from 'vitest'
import { LuaInspector } from '../src/index.ts'
import { newState } from './state.ts'

const { vm } = newState()
const inspector = new LuaInspector(vm, { 'Api.get': { signature: '(key)', doc: 'Gets a value.' } })
vm.execute(`
  function greet(name, greeting, ...) return greeting .. name end
  config = {host = "h", port = 1, ["not a name"] = 2, nested = {deep = true}}
  Animal = {} Animal.__index = Animal function Animal.new() return setmetatable({}, Animal) end function Animal:speak() end
  cat = Animal.new() cat.name = "Tom"
  cycle = setmetatable({}, {}) getmetatable(cycle).__index = cycle
  trap = setmetatable({}, {__index = function() ran = true end, __pairs = function() ran = true end, __tostring = function() ran = true end})
  text = "abc"
  Api = {get = function() end}
  print_copy = print`)

const texts = (code: string, offset = code.length): string[] => inspector.complete(code, offset).items.map((item) => item.text)

describe('completion', () => {
  it.each<[string, string[]]>([
    ['config.', ['host', 'nested', 'port']],
    ['config.h', ['host']],
    ['config.nested.', ['deep']],
    ['x = config . ne', ['nested']],
    ['cat.', ['__index', 'name', 'new', 'speak']],
    ['cat:', ['new', 'speak']],
    ['string.f', ['find', 'format']],
    ['text:up', ['upper']],
    ['("x"):low', ['lower']],
    ['"x":low', ['lower']],
    ['cycle.', []],
    ['trap.', []],
    ['missing.', []],
    ['f().', []],
    ['f(config.ho', ['host']],
    ['-- config.', []],
    ['"config.', []],
    ['1.', []],
    ['gree', ['greet']],
    ['for key, value in pairs(t) do va', ['value']],
    ['local function helper(argument)\n  arg', ['argument']],
    ['local first <const>, second = 1, 2\nsec', ['second']],
    ['whi', ['while']],
    ['_G.gre', ['greet']],
  ])('of %j', (code, names) => {
    expect(texts(code)).toEqual(names)
  })

  it('works in the middle, and tells what to replace', () => {
    expect(inspector.complete('config.po + 1', 9)).toEqual({ items: [{ text: 'port', kind: 'number' }], start: 7, end: 9 })
    expect(inspector.complete('x = "ü𝄞" .. conf', 17)).toMatchObject({ start: 13, end: 17, items: [{ text: 'config' }] })
  })

  it('shows signatures', () => {
    expect(inspector.complete('greet', 5).items).toEqual([{ text: 'greet', kind: 'function', signature: '(name, greeting, ...)' }])
    expect(inspector.complete('string.for', 10).items[0]).toMatchObject({ signature: '(formatstring, …)' })
    expect(inspector.complete('Api.', 4).items[0]).toMatchObject({ signature: '(key)' })
  })

  it('offers all globals for nothing', () => {
    expect(texts('')).toEqual(expect.arrayContaining(['print', 'config', 'string']))
  })

  it('runs no code of the program', () => {
    texts('trap.')
    inspector.inspect('trap', 2)
    expect(vm.execute('return ran')).toEqual([undefined])
  })
})

describe('inspection', () => {
  it('knows the standard library, under other names too', () => {
    expect(inspector.inspect('string.format("%d", 1)', 10)).toMatchObject({
      name: 'string.format',
      signature: '(formatstring, …)',
      doc: expect.any(String),
    })
    expect(inspector.inspect('print_copy', 3)).toMatchObject({ signature: '(…)' })
    expect(inspector.inspect('math.pi', 6)).toMatchObject({ type: 'float', doc: 'Pi.' })
  })

  it('knows functions of the program, documented ones and values', () => {
    expect(inspector.inspect('greet', 5)).toMatchObject({
      signature: '(name, greeting, ...)',
      source: '=(load)',
      firstLine: 2,
      type: 'function',
    })
    expect(inspector.inspect('Api.get', 7)).toMatchObject({ doc: 'Gets a value.', signature: '(key)' })
    expect(inspector.inspect('config', 0)).toMatchObject({ type: 'table', fields: 4 })
    expect(inspector.inspect('config.nested.deep', 17)).toMatchObject({ name: 'config.nested.deep', type: 'boolean', value: 'true' })
    expect(inspector.inspect('config.nested.deep', 9)).toMatchObject({ name: 'config.nested' })
    expect(inspector.inspect('cat:speak()', 6)).toMatchObject({ type: 'function' })
  })

  it('finds the function around the cursor', () => {
    expect(inspector.inspect('greet("a", 1 + (2), ', 20)).toMatchObject({ name: 'greet' })
    expect(inspector.inspect('string.rep("x", ', 16)).toMatchObject({ name: 'string.rep' })
  })

  it('knows nothing where there is nothing', () => {
    for (const [code, offset] of [
      ['', 0],
      ['missing', 3],
      ['missing.field', 10],
      ['1 + 2', 2],
      ['-- print', 5],
      ['while', 2],
    ] as const)
      expect(inspector.inspect(code, offset)).toBeUndefined()
  })

  it('is not fooled by a replaced function', () => {
    const state = newState()
    const other = new LuaInspector(state.vm)
    state.vm.execute('function print(only) end type = nil pairs = nil string.sub = nil table.sort = nil')
    expect(other.inspect('print', 2)).toMatchObject({ signature: '(only)' })
    expect(other.inspect('print', 2)?.doc).toBeUndefined()
    expect(other.complete('pri', 3).items.map((item) => item.text)).toContain('print')
  })
})

describe('variables', () => {
  it('of the user are told from the rest', () => {
    const state = newState()
    const other = new LuaInspector(state.vm)
    state.vm.setGlobal('provided', 1)
    other.markKnown()
    state.vm.execute('a = 1 b = {1, 2} c = "text" d = 1.5 e = function(x) end')
    expect(other.userVariables().map(({ name, type }) => `${name}: ${type}`)).toEqual([
      'a: integer',
      'b: table',
      'c: string',
      'd: float',
      'e: function',
    ])
  })
})
