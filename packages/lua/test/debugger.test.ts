import { describe, expect, it } from 'vitest'
import { type EventResult, type LuaEvent, LuaInspector, type LuaProbe, type StepMode } from '../src/index.ts'
import { newProbe, newState } from './state.ts'

const source = `local total = 0
local function add(x)
  local sum = total + x
  total = sum
  return sum
end
for i = 1, 3 do
  add(i)
end
return total`

/** Runs code with a handler that answers each stop with the next mode, then runs on. Gives the stops as kind:line. */
function trace(code: string, breakpoints: number[], modes: StepMode[], name = '@/test.lua'): { stops: string[]; values: unknown[] } {
  const { vm } = newState()
  const stops: string[] = []
  vm.onEvent = (event) => {
    stops.push(`${event.kind}:${event.line}`)
    vm.debugging.step(event.thread, modes.shift() ?? 'run')
    return 'continue'
  }
  vm.debugging.setBreakpoints(name, breakpoints)
  return { values: vm.execute(code, name), stops }
}

describe('breakpoints', () => {
  it('stop every time the line is reached', () => {
    expect(trace(source, [4], [])).toEqual({ values: [6], stops: ['breakpoint:4', 'breakpoint:4', 'breakpoint:4'] })
  })

  it('are of one source', () => {
    expect(trace(source, [4], [], '@/test.lua').stops).toHaveLength(3)
    const { vm } = newState()
    let stops = 0
    vm.onEvent = () => {
      stops++
      return 'continue'
    }
    vm.debugging.setBreakpoints('@/other.lua', [4])
    vm.execute(source, '@/test.lua')
    expect(stops).toBe(0)
  })

  it('hold for functions that are loaded already, and go when they are removed', () => {
    const { vm } = newState()
    const stops: number[] = []
    vm.onEvent = (event) => {
      stops.push(event.line)
      return 'continue'
    }
    vm.execute('function f()\n  local a = 1\n  return a\nend', '@f')
    vm.execute('co = coroutine.wrap(function() while true do\n  coroutine.yield(f()) end end) co()', '@co')
    vm.debugging.setBreakpoints('@f', [3])
    vm.execute('f() co()')
    vm.debugging.setBreakpoints('@f', [])
    vm.execute('f() co()')
    expect(stops).toEqual([3, 3])
  })

  it('can be set from a stop, in the function that stands still', () => {
    const { vm } = newState()
    const stops: number[] = []
    vm.onEvent = (event) => {
      stops.push(event.line)
      vm.debugging.setBreakpoints('@x', [2, 4])
      return 'continue'
    }
    vm.debugging.setBreakpoints('@x', [2])
    vm.execute('local a\na = 1\na = 2\na = 3', '@x')
    expect(stops).toEqual([2, 4])
  })

  it('tell the lines they can be on', () => {
    const { vm } = newState()
    const chunk = vm.load('-- comment\n\nlocal a = 1\n\nlocal function f(...)\n  return ...\nend\n\nf(a,\n  2)', '@lines')
    expect(vm.debugging.breakableLines('@lines')).toEqual([3, 6, 7, 9, 10])
    expect(vm.debugging.breakableLines('@none')).toEqual([])
    chunk.release()
  })

  it('leave the hooks of the program alone', () => {
    const { vm } = newState()
    let stops = 0
    vm.onEvent = () => {
      stops++
      return 'continue'
    }
    vm.debugging.setBreakpoints('@x', [2])
    const code = 'local n = 0 debug.sethook(function() n = n + 1 end, "l")\nlocal a = 1\nlocal b = 2\ndebug.sethook() return n'
    expect(vm.execute(code, '@x')).toEqual([3])
    expect(stops).toBe(1)
  })
})

describe('steps', () => {
  it('over a call', () => {
    expect(trace(source, [8], ['over', 'over', 'run']).stops.slice(0, 3)).toEqual(['breakpoint:8', 'step:7', 'breakpoint:8'])
  })

  it('into a call, line by line, and out', () => {
    expect(trace(source, [8], ['in', 'in', 'in', 'out', 'run', 'run']).stops.slice(0, 5)).toEqual([
      'breakpoint:8',
      'step:3',
      'step:4',
      'step:5',
      'step:7',
    ])
  })

  it('over a recursive call', () => {
    const code = 'local function f(n)\n  if n == 0 then return 0 end\n  local r = f(n - 1)\n  return r + 1\nend\nlocal x = f(3)\nreturn x'
    const { vm } = newState()
    const stops: number[] = []
    vm.onEvent = (event) => {
      stops.push(event.line)
      vm.debugging.setBreakpoints('@r', [])
      vm.debugging.step(event.thread, stops.length < 3 ? 'over' : 'run')
      return 'continue'
    }
    vm.debugging.setBreakpoints('@r', [3])
    expect(vm.execute(code, '@r')).toEqual([3])
    expect(stops).toEqual([3, 4, 7])
  })

  it('stop again in a loop on one line', () => {
    expect(trace('local n = 0\nwhile n < 3 do n = n + 1 end\nreturn n', [1], ['over', 'over', 'over', 'run']).stops).toEqual([
      'breakpoint:1',
      'step:2',
      'step:2',
      'step:2',
    ])
  })

  it('into a coroutine, over its yield, and out when it ends', () => {
    const code = `local co = coroutine.wrap(function()
  local a = 1
  coroutine.yield(a)
  local b = 2
end)
co()
local between = 1
co()
return 5`
    const { values, stops } = trace(code, [6], ['in', 'over', 'over', 'over', 'over', 'over', 'over'])
    expect(values).toEqual([5])
    expect(stops).toEqual(['breakpoint:6', 'step:2', 'step:3', 'step:4', 'step:5', 'step:9'])
  })

  it('stop in no function of the host', () => {
    expect(trace('local t = {3, 1, 2}\ntable.sort(t)\nreturn t', [2], ['in', 'run']).stops).toEqual(['breakpoint:2', 'step:3'])
  })
})

describe('while code stands still', () => {
  const stopAt = (
    code: string,
    line: number,
    look: (probe: LuaProbe, event: LuaEvent, inspector: LuaInspector) => unknown,
    result: EventResult = 'continue',
  ) => {
    const { vm } = newState()
    const inspector = new LuaInspector(vm)
    const probe = newProbe(vm, inspector)
    let seen: unknown
    vm.onEvent = (event) => {
      seen = look(probe, event, inspector)
      probe.clear()
      return result
    }
    vm.debugging.setBreakpoints('@s', [line])
    const values = vm.execute(code, '@s')
    return { seen, values }
  }

  const code = `local outer = {1, 2, name = "n"}
local function f(a, ...)
  local a = a + 1
  local b = "text"
  return a, b, outer
end
return f(1, "extra")`

  it('shows stack, locals, upvalues and what is in them', () => {
    const { seen, values } = stopAt(code, 5, (probe, event) => {
      const frame = { thread: event.thread, level: 0 }
      const locals = probe.locals(frame)
      const upvalues = probe.upvalues(frame)
      return {
        shape: probe.frameShape(frame),
        stack: probe.stack(event.thread, 0, 1).entries.map((entry) => [entry.name, entry.what, entry.source, entry.line]),
        varargs: probe.varargs(frame, {}).map((v) => [v.name, v.value]),
        locals: locals.map((v) => [v.name, v.type, v.value]),
        upvalues: upvalues.map((v) => v.name),
        outer: probe.expand(upvalues[0]?.reference ?? 0, {})?.map((v) => [v.name, v.value]),
        page: probe.expand(upvalues[0]?.reference ?? 0, { start: 1, count: 1 })?.map((v) => v.name),
      }
    })
    expect(values).toEqual([
      2,
      'text',
      new Map<unknown, unknown>([
        [1, 1],
        [2, 2],
        ['name', 'n'],
      ]),
    ])
    expect(seen).toEqual({
      shape: { locals: 3, varargs: 1, upvalues: 1 },
      stack: [['?', 'Lua', 's', 5]],
      varargs: [['[1]', '"extra"']],
      locals: [
        ['a (shadowed)', 'integer', '1'],
        ['a', 'integer', '2'],
        ['b', 'string', '"text"'],
      ],
      upvalues: ['outer'],
      outer: [
        ['[1]', '1'],
        ['[2]', '2'],
        ['name', '"n"'],
      ],
      page: ['[2]'],
    })
  })

  it('evaluates and assigns in the frame', () => {
    const failure = (work: () => unknown): string => {
      try {
        return `no failure: ${JSON.stringify(work())}`
      } catch (error) {
        return String(error)
      }
    }
    const { seen, values } = stopAt(code, 5, (probe, event) => {
      const frame = { thread: event.thread, level: 0 }
      return [
        probe.evaluate('a + #outer, ...', frame).value,
        probe.evaluate('print', frame).value,
        failure(() => probe.evaluate('b .. ', frame)),
        failure(() => probe.evaluate('error("no")', frame)),
        probe.setVariable('local', frame, 'a (shadowed)', '9').value,
        probe.setVariable('local', frame, 'a', '40 + 2').value,
        probe.setVariable('upvalue', frame, 'outer', '{9}').value,
        probe.setVariable('vararg', frame, '[1]', '"other"').value,
        probe.assign('outer[2]', '#b', frame).value,
        probe.evaluate('new_global = a', frame).none,
        probe.condition(1, frame, 'a == 42 and outer[1] == 9'),
        probe.condition(2, frame, 'a.b.c'),
        probe.condition(3, frame, 'a =='),
        probe.logPart('b', frame),
        probe.logPart('nope.x', frame),
      ]
    })
    expect(values).toEqual([42, 'text', [9, 4]])
    expect(seen).toEqual([
      '4, "extra"',
      'function: built-in',
      expect.stringContaining('unexpected symbol'),
      expect.stringContaining('no'),
      '9',
      '42',
      '{9}',
      '"other"',
      '4',
      true,
      true,
      expect.stringContaining('attempt to index'),
      expect.stringContaining('unexpected symbol'),
      'text',
      expect.stringContaining('attempt to index'),
    ])
  })

  it('evaluates quietly what runs nothing', () => {
    const { seen } = stopAt(
      `local t = setmetatable({n = {1, 2}, s = "x"}, {__index = {inherited = 5}, __len = function() error("ran") end})
local magic = setmetatable({}, {__index = function() ran = true end, __add = function() ran = true end})
local i = 2
return t, magic, i`,
      4,
      (probe, event) => {
        const frame = { thread: event.thread, level: 0 }
        return [
          't.n[i] * 10 + 1',
          't.inherited',
          't["s"] .. "y"',
          '#t.n == 2 and not nil',
          't.missing',
          '-i^2',
          '(i)',
          'math.pi > 3',
          '2^3^2',
          '1 .. 2',
        ]
          .map((source) => probe.evaluateQuietly(source, frame).value)
          .concat(
            [
              'f()',
              't:m()',
              'magic.x',
              'magic + 1',
              '#t',
              'i = 3',
              't.n.x.y',
              '',
              'i i',
              '{}',
              'function() end',
              'print "x"',
              '"unclosed',
              '1 +',
              '"x" < 1',
            ].map((source) => {
              try {
                return `no failure: ${probe.evaluateQuietly(source, frame).value}`
              } catch (error) {
                return (error as Error).name
              }
            }),
            probe.evaluate('ran', frame).value,
          )
      },
    )
    expect(seen).toEqual([
      '21',
      '5',
      '"xy"',
      'true',
      'nil',
      '-4.0',
      '2',
      'true',
      '512.0',
      '"12"',
      ...Array(15).fill('EvaluationError'),
      'nil',
    ])
  })

  it('does not stop in code that is evaluated', () => {
    const { seen } = stopAt('function g()\n  return 7\nend\nlocal x = g()\nreturn x', 2, (probe, event) =>
      probe.evaluate('g() + 1', { thread: event.thread, level: 0 }),
    )
    expect(seen).toMatchObject({ value: '8' })
  })

  it('keeps closures of evaluated code away from a frame that is gone', () => {
    const { vm } = newState()
    const probe = newProbe(vm)
    vm.onEvent = (event) => {
      probe.evaluate('leak = function() return secret end', { thread: event.thread, level: 0 })
      return 'continue'
    }
    vm.debugging.setBreakpoints('@s', [2])
    vm.execute('local secret = 1\nlocal x = secret', '@s')
    expect(vm.execute('return leak()')).toEqual([undefined])
  })

  it('completes names of the frame', () => {
    const { seen } = stopAt('local player = {health = 1}\nreturn player', 2, (_, event, inspector) => {
      const frame = { thread: event.thread, level: 0 }
      return [inspector.complete('pla', 3, frame).items, inspector.complete('player.', 7, frame).items]
    })
    expect(seen).toEqual([[{ text: 'player', kind: 'table' }], [{ text: 'health', kind: 'number' }]])
  })

  it('can be interrupted', () => {
    expect(() => stopAt('while true do\n  local x = 1\nend', 2, () => undefined, 'interrupt')).toThrow('interrupted')
    expect(() => stopAt('while true do pcall(function()\n  local x = 1\nend) end', 2, () => undefined, 'interrupt-hard')).toThrow(
      'interrupted',
    )
  })

  it('can yield, and goes on at the same place', () => {
    const { vm } = newState()
    const results: EventResult[] = ['yield', 'yield', 'continue']
    let stops = 0
    vm.onEvent = () => {
      stops++
      return results.shift() ?? 'continue'
    }
    vm.debugging.setBreakpoints('@y', [2])
    vm.execute('co = coroutine.create(function()\n  n = (n or 0) + 1\n  return n end)', '@y')
    expect(vm.execute('return coroutine.resume(co)')).toEqual([true])
    expect(vm.execute('return coroutine.resume(co)')).toEqual([true, 1])
    expect(stops).toBe(1)
  })
})

describe('exceptions', () => {
  it('are seen when they are raised, with the stack alive, caught or not', () => {
    const { vm } = newState()
    const probe = newProbe(vm)
    const seen: unknown[] = []
    vm.onEvent = (event) => {
      const level = probe.stack(event.thread, 0, 10).entries.find((entry) => entry.what !== 'C')?.level ?? 0
      const { text } = probe.thrown(event.thread)
      seen.push([
        event.kind,
        event.status,
        probe.isCaught(vm.threadChain(event.thread)),
        probe.evaluate('x', { thread: event.thread, level }),
        text,
      ])
      return 'continue'
    }
    vm.control.catching = true
    vm.execute('local x = 5 pcall(function() local x = 6 error("caught") end)', '@e')
    expect(() => vm.execute('local x = 7 local y = nil + x', '@e')).toThrow('arithmetic on a nil')
    vm.execute('coroutine.resume(coroutine.create(function() local x = 8 error("in coroutine") end))', '@e')
    expect(seen).toMatchObject([
      ['exception', 2, true, { value: '6' }, 'e:1: caught'],
      ['exception', 2, false, { value: '7' }, expect.stringContaining('arithmetic on a nil')],
      ['exception', 2, true, { value: '8' }, 'e:1: in coroutine'],
    ])
  })

  it('are not the syntax errors of trials', () => {
    const { vm } = newState()
    let events = 0
    vm.onEvent = () => {
      events++
      return 'continue'
    }
    vm.control.catching = true
    expect(vm.execute('return load("x =")')[0]).toBeUndefined()
    expect(events).toBe(0)
  })
})
