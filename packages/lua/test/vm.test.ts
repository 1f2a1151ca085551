import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  compileLua,
  LuaCrash,
  LuaError,
  LuaExit,
  type LuaFunction,
  LuaInterrupted,
  LuaMemoryError,
  LuaSyntaxError,
  LuaVM,
  results,
  standardLibrary,
  warmUp,
  YIELD,
} from '../src/index.ts'
import { lua, newState } from './state.ts'

function failure(run: () => unknown): Error {
  try {
    run()
  } catch (error) {
    return error as Error
  }
  throw new Error('did not fail')
}

describe('the wasm file', () => {
  it('has the recorded checksum', () => {
    const folder = new URL('../wasm/', import.meta.url)
    const recorded = readFileSync(new URL('lua.wasm.sha256', folder), 'utf8').split(' ')[0]
    expect(
      createHash('sha256')
        .update(readFileSync(new URL('lua.wasm', folder)))
        .digest('hex'),
    ).toBe(recorded)
    expect(lua.hash).toBe(recorded)
  })

  it('runs on plain memory as well', () => {
    const vm = LuaVM.create(compileLua({ shared: false }))
    expect(vm.memory.buffer).toBeInstanceOf(ArrayBuffer)
    expect(vm.execute('return _VERSION, 2^53')).toEqual(['Lua 5.4', 2 ** 53])
  })

  it('documents every function of the standard library, and no other', () => {
    const { vm } = newState()
    const [names] = vm.execute(`
      local names = {}
      for name, library in pairs(package.loaded) do
        for key in pairs(library) do
          if name ~= "_G" then names[#names + 1] = name .. "." .. key else names[#names + 1] = key end
        end
      end
      return names`) as [string[]]
    const compatibility = new Set([
      'math.cosh',
      'math.sinh',
      'math.tanh',
      'math.pow',
      'math.atan2',
      'math.frexp',
      'math.ldexp',
      'math.log10',
      'debug.setcstacklimit',
    ])
    expect(names.filter((name) => !compatibility.has(name)).sort()).toEqual(Object.keys(standardLibrary).sort())
  })
})

describe('calls', () => {
  it('gives values, text or nothing', () => {
    const { vm } = newState()
    const code = 'return 1, nil, setmetatable({}, {__tostring = function() return "shown" end}), 2.0'
    expect(vm.execute(code)).toEqual([1, undefined, {}, 2])
    expect(vm.execute(code, '=x', { results: 'text' })).toEqual(['1', 'nil', 'shown', '2.0'])
    expect(vm.execute(code, '=x', { results: 'none' })).toEqual([])
  })

  it('reports errors with message, value and traceback, and goes on', () => {
    const { vm } = newState()
    const error = failure(() => vm.execute('local function inner()\n  error("boom")\nend\ninner()', '@/scripts/a.lua')) as LuaError
    expect(error).toBeInstanceOf(LuaError)
    expect(error.message).toBe('/scripts/a.lua:2: boom')
    expect(error.traceback).toBe(
      "stack traceback:\n\t[C]: in function 'error'\n\t/scripts/a.lua:2: in local 'inner'\n\t/scripts/a.lua:4: in main chunk",
    )
    expect(vm.execute('return 1')).toEqual([1])
  })

  it('does not cut long chunk names', () => {
    const { vm } = newState()
    const name = `/${'directory/'.repeat(20)}file.lua`
    expect(failure(() => vm.execute('error("x")', `@${name}`)).message).toBe(`${name}:1: x`)
  })

  it('tells syntax errors from unfinished code', () => {
    const { vm } = newState()
    expect(failure(() => vm.load('x = = 1', '=cell'))).toMatchObject({ message: "cell:1: unexpected symbol near '='", incomplete: false })
    expect(failure(() => vm.load('x ='))).toMatchObject({ incomplete: true })
    expect(failure(() => vm.load('x = "abc'))).toMatchObject({ incomplete: false })
    expect(failure(() => vm.load('x = [[abc'))).toBeInstanceOf(LuaSyntaxError)
    expect(() => vm.load(vm.execute('return string.dump(function() end)')[0] as Uint8Array)).toThrow('binary')
  })

  it('reports an error in an error handler and a failing __tostring', () => {
    const { vm } = newState()
    expect(failure(() => vm.execute('error(setmetatable({}, {__tostring = function() error("no text") end}))'))).toBeInstanceOf(LuaError)
    expect(
      failure(() => vm.execute('return setmetatable({}, {__tostring = function() error("no text") end})', '=x', { results: 'text' }))
        .message,
    ).toContain('no text')
    expect(vm.execute('return 1')).toEqual([1])
  })

  it.each([
    ['recursion', 'local function f() return 1 + f() end f()'],
    ['nested pcall', 'local function f() local ok, e = pcall(f) if not ok then error(e, 0) end end f()'],
    ['__index recursion', 'local t = setmetatable({}, {__index = function(t, k) return t[k .. "x"] end}) return t.a'],
    ['gsub callbacks', 'local function f() return (("x"):gsub("x", f)) end f()'],
    ['coroutines in coroutines', 'local function f() return coroutine.wrap(f)() end f()'],
    ['parser nesting', 'assert(load("return " .. ("("):rep(10000)))'],
    ['tostring', 'local t t = setmetatable({}, {__tostring = function() return tostring(t) end}) return tostring(t)'],
    ['host and Lua', 'bounce()'],
  ])('survives endless %s', (_name, code) => {
    const { vm } = newState()
    const again = vm.execute('return function() return bounce() end')[0] as LuaFunction
    vm.setGlobal(
      'bounce',
      vm.function('bounce', () => vm.call(again)[0]),
    )
    expect(failure(() => vm.execute(code))).toBeInstanceOf(LuaError)
    expect(vm.execute('return 1 + 1')).toEqual([2])
  })

  it('survives a JavaScript stack overflow in a host function', () => {
    const { vm } = newState()
    const overflow = (): number => 1 + overflow()
    vm.setGlobal('overflow', vm.function('overflow', overflow))
    expect(vm.execute('return pcall(overflow)')).toEqual([false, 'Maximum call stack size exceeded'])
  })
})

describe('host functions', () => {
  it('get arguments and give results', () => {
    const { vm } = newState()
    vm.setGlobal(
      'several',
      vm.function('several', (...args: unknown[]) => results(args.length, ...args)),
    )
    vm.setGlobal(
      'nothing',
      vm.function('nothing', () => results()),
    )
    vm.setGlobal(
      'undefined',
      vm.function('undefined', () => undefined),
    )
    expect(vm.execute('return several(nil, 1, "x", nil)')).toEqual([4, undefined, 1, 'x', undefined])
    expect(vm.execute('return select("#", nothing()), select("#", undefined())')).toEqual([0, 1])
  })

  it('raise errors with the position of the call, or any value', () => {
    const { vm } = newState()
    vm.setGlobal(
      'fail',
      vm.function('fail', () => {
        throw new TypeError('not like this')
      }),
    )
    vm.setGlobal(
      'refuse',
      vm.function('refuse', () => {
        throw new LuaError('refused', { value: { code: 'E1', message: 'refused' } })
      }),
    )
    vm.setGlobal(
      'later',
      vm.function('later', async () => 1),
    )
    vm.setGlobal(
      'strange',
      vm.function('strange', () => new Set()),
    )
    expect(failure(() => vm.execute('\nfail()', '=cell')).message).toBe('cell:2: not like this')
    expect(vm.execute('local ok, e = pcall(refuse) return ok, e.code')).toEqual([false, 'E1'])
    expect(failure(() => vm.execute('later()')).message).toContain('returned a promise')
    expect(failure(() => vm.execute('strange()')).message).toContain('instance of Set')
  })

  it('can call Lua again, in coroutines and metamethods too', () => {
    const { vm } = newState()
    vm.setGlobal(
      'apply',
      vm.function('apply', (f: LuaFunction, ...args: unknown[]) => results(...vm.call(f, args))),
    )
    const code = `
      local t = setmetatable({}, {__index = function(_, k) return apply(string.upper, k) end})
      local co = coroutine.wrap(function() coroutine.yield(apply(function(x) return x .. t.abc end, "1")) end)
      local list = {3, 1, 2}
      table.sort(list, function(a, b) return apply(function() return a < b end) end)
      return co(), list, (("abc"):gsub(".", function(c) return apply(string.rep, c, 2) end))`
    expect(vm.execute(code)).toEqual(['1ABC', [1, 2, 3], 'aabbcc'])
  })

  it('pass errors of Lua through', () => {
    const { vm } = newState()
    vm.setGlobal(
      'apply',
      vm.function('apply', (f: LuaFunction) => results(...vm.call(f))),
    )
    expect(vm.execute('local ok, e = pcall(apply, function() error({7}) end) return e')).toEqual([[7]])
  })

  it('suspend their coroutine', () => {
    const { vm } = newState()
    vm.setGlobal(
      'wait',
      vm.function('wait', () => YIELD),
    )
    const code = 'co = coroutine.create(function() local a, b = pcall(wait) return a, b .. "!" end) return coroutine.resume(co)'
    expect(vm.execute(code)).toEqual([true])
    expect(vm.execute('return coroutine.resume(co, "answer")')).toEqual([true, true, 'answer!'])
    expect(failure(() => vm.execute('wait()')).message).toContain('attempt to wait')
  })

  it('keep their ids by name', () => {
    const { vm } = newState()
    const first = vm.function('f', () => 1)
    vm.setGlobal('f', first)
    expect(vm.function('f', () => 2).id).toBe(first.id)
    expect(vm.execute('return f()')).toEqual([2])
  })
})

describe('host objects', () => {
  it('cross as themselves and are released by the collector', () => {
    const { vm } = newState()
    const box = vm.object({ value: 5 }, 'box')
    vm.defineType('box', vm.load('local meta = ... meta.__name = "Box"'))
    const get = vm.function('box.get', (self: typeof box) => self.value)
    vm.setGlobal('get', get)
    vm.setGlobal('box', box)
    const [same, name, value, back] = vm.call(
      vm.load('local other = ... return other == box, tostring(box):match("^%a+"), get(box), box'),
      [box],
    )
    expect([same, name, value]).toEqual([true, 'Box', 5])
    expect(back).toBe(box)
    let alive = 0
    vm.setGlobal(
      'make',
      vm.function('make', () => vm.object({ n: alive++ }, 'box')),
    )
    vm.execute('for i = 1, 10000 do make() end collectgarbage() collectgarbage()')
    expect(alive).toBe(10000)
    expect(vm.hostObjects).toBe(1)
  })
})

describe('memory', () => {
  const script = 't = {} for i = 1, 1e9 do t[i] = ("x"):rep(1000) .. i end'

  it('stops exactly at the limit, and works again when something is freed', () => {
    const limit = 64 << 20
    const { vm } = newState({ memoryLimit: limit })
    const error = failure(() => vm.execute(script))
    expect(error).toBeInstanceOf(LuaMemoryError)
    expect(error.message).toBe('not enough memory')
    expect(vm.control.peak).toBeLessThanOrEqual(limit)
    expect(vm.control.peak).toBeGreaterThan(limit * 0.9)
    vm.execute('t = nil collectgarbage()')
    expect(vm.control.used).toBeLessThan(1 << 20)
    expect(vm.execute('local s = ("y"):rep(1 << 20) return #s')).toEqual([1 << 20])
  })

  it('leaves room to free something when small objects have filled it', () => {
    const { vm } = newState({ memoryLimit: 8 << 20 })
    for (let i = 0; i < 3; i++) expect(failure(() => vm.execute('while true do t = {t} end'))).toBeInstanceOf(LuaMemoryError)
    expect(vm.execute('t = nil collectgarbage() return 1')).toEqual([1])
    expect(failure(() => vm.execute('while true do t = {t} end'))).toBeInstanceOf(LuaMemoryError)
    for (let i = 0; i < 20; i++) failure(() => vm.execute('while true do t = {t} end'))
    expect(vm.control.used).toBeLessThan(25 << 20)
    vm.execute('t = nil collectgarbage()')
    vm.execute('x = 1')
    expect(vm.control.limit).toBe(8 << 20)
  })

  it('must suffice for a state', () => {
    const memory = newState().vm.memory
    expect(failure(() => newState({ maximumMemory: memory.buffer.byteLength }).vm.execute('t = ("x"):rep(1e6)'))).toBeInstanceOf(
      LuaMemoryError,
    )
  })

  it('is catchable in Lua', () => {
    const { vm } = newState({ memoryLimit: 16 << 20 })
    expect(vm.execute(`local ok, message = pcall(function() ${script} end) t = nil return ok, message`)).toEqual([
      false,
      'not enough memory',
    ])
  })

  it('is bounded by the linear memory when there is no limit', () => {
    const { vm } = newState({ maximumMemory: 32 << 20 })
    expect(failure(() => vm.execute(script))).toBeInstanceOf(LuaMemoryError)
    vm.execute('t = nil')
    expect(vm.execute('return 1')).toEqual([1])
    expect(vm.memory.buffer.byteLength).toBeLessThanOrEqual(32 << 20)
  })

  it('counts what is in use', () => {
    const { vm } = newState()
    const before = vm.control.used
    vm.execute('s = ("x"):rep(1e6)')
    expect(vm.control.used - before).toBeGreaterThan(1e6)
    expect(vm.execute('collectgarbage() return collectgarbage("count") * 1024')[0]).toBe(vm.control.used)
  })
})

describe('os.exit', () => {
  it('unwinds everything, closes variables and keeps the state', () => {
    const { vm } = newState()
    const code =
      'x = 1 local c <close> = setmetatable({}, {__close = function() end}) while true do pcall(function() pcall(os.exit, 3) end) end'
    expect(failure(() => vm.execute(code))).toMatchObject({ name: 'LuaExit', code: 3 })
    expect(vm.execute('return x')).toEqual([1])
    expect(failure(() => vm.execute('os.exit(true, true)'))).toMatchObject({ code: 0 })
    expect(failure(() => vm.execute('coroutine.wrap(function() os.exit(false) end)()'))).toMatchObject({ code: 1 })
    expect(vm.execute('return x')).toEqual([1])
  })

  it('passes through host functions', () => {
    const { vm } = newState()
    vm.setGlobal(
      'apply',
      vm.function('apply', (f: LuaFunction) => results(...vm.call(f))),
    )
    expect(failure(() => vm.execute('while true do pcall(apply, function() os.exit(9) end) end'))).toBeInstanceOf(LuaExit)
    expect(vm.execute('return 1')).toEqual([1])
  })
})

describe('output', () => {
  it('is batched, in order, and flushed on request', () => {
    const chunks: string[] = []
    const { vm } = newState({
      stdout: (bytes) => chunks.push(Buffer.from(bytes).toString()),
      stderr: (bytes) => chunks.push(`!${Buffer.from(bytes)}`),
    })
    vm.execute('print("a", 1) io.write("b", 2.5)')
    expect(chunks).toEqual([])
    expect(vm.control.outputPending).toBe(true)
    vm.flush()
    expect(chunks).toEqual(['a\t1\nb2.5'])
    expect(vm.control.outputPending).toBe(false)
    chunks.length = 0
    vm.execute('print("before") io.stderr:write("error") print("after")')
    vm.flush()
    expect(chunks).toEqual(['before\n', '!error', 'after\n'])
    chunks.length = 0
    vm.execute('for i = 1, 100000 do print(i) end')
    vm.flush()
    expect(chunks.length).toBeLessThan(20)
    expect(chunks.join('')).toBe(Array.from({ length: 100000 }, (_, i) => `${i + 1}\n`).join(''))
  })

  it('may be flushed from its own callback', () => {
    const chunks: string[] = []
    const { vm } = newState({
      stdout: (bytes) => {
        vm.flush()
        chunks.push(Buffer.from(bytes).toString())
      },
    })
    vm.execute('print("once")')
    vm.flush()
    expect(chunks).toEqual(['once\n'])
  })

  it('reports a failing callback to the caller', () => {
    const { vm } = newState({
      stdout: () => {
        throw new Error('pipe broke')
      },
    })
    expect(() => vm.execute('print(("x"):rep(1e6)) while true do end')).toThrow('pipe broke')
    expect(vm.execute('return 1')).toEqual([1])
  })

  it('warns on standard error', () => {
    const { vm, stderr } = newState()
    vm.execute('warn("@on") warn("careful")')
    expect(stderr()).toBe('Lua warning: careful\n')
  })
})

describe('randomness', () => {
  it('differs between states', () => {
    const draw = (): unknown => newState().vm.execute('return math.random(0)')[0]
    expect(draw()).not.toEqual(draw())
  })
})

describe('the end', () => {
  it('refuses calls after dispose', () => {
    const { vm } = newState()
    vm.dispose()
    expect(() => vm.execute('return 1')).toThrow(LuaCrash)
  })

  it('warms the module up', () => {
    expect(() => warmUp(lua)).not.toThrow()
  })

  it('makes a host interrupt end the call', () => {
    const { vm } = newState()
    vm.setGlobal(
      'stop',
      vm.function('stop', () => {
        throw new LuaInterrupted()
      }),
    )
    expect(failure(() => vm.execute('stop()'))).toBeInstanceOf(LuaInterrupted)
    expect(vm.execute('return pcall(stop)')).toEqual([false, 'interrupted'])
  })
})

describe('a hook of the program', () => {
  it.each([
    ['fails at every instruction', 'debug.sethook(function() error("hook") end, "", 1)'],
    ['fails at every call', 'debug.sethook(function() error("hook") end, "cr")'],
    ['is not the last word of a call that went well', 'debug.sethook(function() error("hook") end, "l")'],
  ])('that %s ends with the call that set it', (_, set) => {
    const { vm } = newState()
    try {
      vm.execute(set)
    } catch (error) {
      expect(String(error)).toContain('hook')
    }
    expect(vm.execute('local sum = 0\nfor i = 1, 10 do sum = sum + math.abs(i) end\nreturn sum, debug.gethook()')[0]).toBe(55)
  })

  it('outlasts a call of the host within the one that set it', () => {
    const { vm } = newState()
    vm.setGlobal(
      'through',
      vm.function('through', () => vm.execute('return 1')[0]),
    )
    const code = 'local n = 0 debug.sethook(function() n = n + 1 end, "l")\nthrough()\nlocal before = n\nlocal a = 1\nreturn n - before'
    expect(vm.execute(code)).toEqual([2])
  })
})
