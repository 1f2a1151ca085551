import { describe, expect, it } from 'vitest'
import { LuaVM } from '../src/index.ts'
import { lua, newProbe, newState } from './state.ts'

describe('a snapshot', () => {
  it('goes on where it was taken, apart from the original', () => {
    const { vm } = newState()
    vm.execute(`
      n = 1
      cyclic = {} cyclic.self = cyclic
      object = setmetatable({}, {__index = function(_, k) return k .. "!" end})
      local shared = 0
      function increment() shared = shared + 1 return shared end
      function get() return shared end
      co = coroutine.wrap(function() for i = 1, 100 do coroutine.yield(i) end end)
      co() increment()`)
    const copy = LuaVM.restore(lua, vm.snapshot())
    expect(copy.execute('n = n + 1 increment() return n, cyclic.self == cyclic, object.hi, get(), co(), co()')).toEqual([
      2,
      true,
      'hi!',
      2,
      2,
      3,
    ])
    expect(vm.execute('return n, get(), co()')).toEqual([1, 1, 2])
  })

  it('binds host functions by name, in any order', () => {
    const { vm } = newState()
    vm.setGlobal(
      'a',
      vm.function('a', () => 'a1'),
    )
    vm.setGlobal(
      'b',
      vm.function('b', () => 'b1'),
    )
    const copy = LuaVM.restore(lua, vm.snapshot())
    expect(() => copy.execute('a()')).toThrow("host function 'a' is not available here")
    copy.function('new', () => 'new')
    copy.function('b', () => 'b2')
    copy.function('a', () => 'a2')
    expect(copy.execute('return a(), b()')).toEqual(['a2', 'b2'])
    expect(vm.execute('return a(), b()')).toEqual(['a1', 'b1'])
  })

  it('survives being written down', () => {
    const { vm } = newState()
    vm.execute('data = {} for i = 1, 1000 do data[i] = "item " .. i end')
    const { bytes, ...rest } = vm.snapshot()
    const stored = JSON.parse(JSON.stringify(rest))
    const copy = LuaVM.restore(lua, { ...stored, bytes: Uint8Array.from(bytes) })
    expect(copy.execute('return #data, data[1000]')).toEqual([1000, 'item 1000'])
  })

  it('does not fit another build', () => {
    expect(() => LuaVM.restore(lua, { ...newState().vm.snapshot(), module: '0'.repeat(64) })).toThrow('another build of Lua')
  })

  it('has dead host objects, closed files and random numbers of its own', () => {
    const { vm } = newState({ policy: 'full' })
    const object = vm.object({}, 'thing')
    vm.setGlobal('object', object)
    vm.setGlobal(
      'use',
      vm.function('use', () => 1),
    )
    vm.execute('file = io.tmpfile()')
    const snapshot = vm.snapshot()
    const [one, two] = [LuaVM.restore(lua, snapshot, { policy: 'full' }), LuaVM.restore(lua, snapshot, { policy: 'full' })]
    one.function('use', () => 1)
    expect(() => one.execute('use(object)')).toThrow('the host object is gone')
    expect(one.execute('return file:write("x"):flush()').slice(1)).toEqual(['Bad file descriptor', 9])
    expect(one.execute('object = nil collectgarbage() return 1')).toEqual([1])
    expect(one.execute('return math.random(0)')).not.toEqual(two.execute('return math.random(0)'))
    expect(one.execute('return io.tmpfile():write("ok") ~= nil')).toEqual([true])
    for (const state of [vm, one, two]) state.dispose()
  })

  it('keeps limits and drops breakpoints', () => {
    const { vm } = newState({ memoryLimit: 32 << 20 })
    vm.execute('function f()\n  return 1\nend', '@f')
    vm.debugging.setBreakpoints('@f', [2])
    let stops = 0
    const copy = LuaVM.restore(lua, vm.snapshot(), {
      onEvent: () => {
        stops++
        return 'continue'
      },
    })
    copy.execute('f()')
    expect(stops).toBe(0)
    expect(copy.control.limit).toBe(32 << 20)
    copy.debugging.setBreakpoints('@f', [2])
    copy.execute('f()')
    expect(stops).toBe(1)
  })

  it('cannot be taken from inside', () => {
    const { vm } = newState()
    vm.setGlobal(
      'snap',
      vm.function('snap', () => vm.snapshot()),
    )
    expect(() => vm.execute('snap()')).toThrow('only while no Lua code runs')
  })

  it('can be looked at', () => {
    const { vm } = newState()
    const original = newProbe(vm)
    vm.execute('mine = 1')
    const copy = LuaVM.restore(lua, vm.snapshot())
    expect(newProbe(copy).evaluate('mine + 1', undefined)).toMatchObject({ value: '2' })
    expect(original.evaluate('mine', undefined)).toMatchObject({ value: '1' })
  })
})
