import { describe, expect, it } from 'vitest'
import { compileCell, completeness, LuaSyntaxError } from '../src/index.ts'
import { newState } from './state.ts'

describe('cells', () => {
  it.each<[string, string, unknown[]]>([
    ['an expression', '1 + 1', [2]],
    ['several values', '1, "a", nil', [1, 'a', undefined]],
    ['an assignment', 'x = 5', []],
    ['a statement, then an expression', 'x = 5\nx + 1', [6]],
    ['a local used by the expression', 'local y = 2\ny * 2', [4]],
    ['an expression over several lines', 'x = 1\nx +\n  2', [3]],
    ['a call over several lines', 'x = 1\nmath.max(\n  x,\n  7\n)', [7]],
    ['a table constructor at the end', 'x = 1\n{\n  a = x,\n}', [{ a: 1 }]],
    ['a call as last statement', 'x = 2\ntostring(x)', ['2']],
    ['a call alone', 'tostring(3)', ['3']],
    ['a loop', 'for i = 1, 2 do\n  x = i\nend', []],
    ['a call inside a block', 'if true then\n  tostring(1)\nend', []],
    ['an if around an expression statement', 'for i = 1, 2 do\n  tostring(i)\nend', []],
    ['a function definition', 'function f()\n  return 1\nend', []],
    ['a definition, then a call', 'function f()\n  return 1\nend\nf()', [1]],
    ['a call split before its arguments', 'x = tostring\n(7)', []],
    ['a string argument on the next line', 'x = tostring\n"7"', []],
    ['a table argument on the next line', 'x = #table.pack\n{1, 2}', []],
    ['an operator at the start of a line', 'x = 5\n- 3', []],
    ['a comment after the expression', 'x = 1\nx -- the value', [1]],
    ['a comment line after the expression', 'x = 1\nx\n-- done\n', [1]],
    ['blank lines around', '\n\n1\n\n', [1]],
    ['an explicit return', 'return 1, 2', [1, 2]],
    ['a return after a statement', 'local a = 1\nreturn a', [1]],
    ['a semicolon', 'x = 1; x = 2', []],
    ['nothing', '', []],
    ['a comment', '-- nothing', []],
    ['a long string', 'x = 1\n[[a\nb]]', ['a\nb']],
    ['a statement inside a long string', 'x = [[\ny = 1\n]]', []],
    ['a method call', 's = "abc"\ns:upper()', ['ABC']],
    ['a goto and a label', 'goto done\n::done::', []],
    ['a varargs expression', 'select("#", ...)', [0]],
    ['an interpreter line', '#!/usr/bin/env lua\n1 + 2', [3]],
    ['carriage returns', 'x = 1\r\nx + 1\r\n', [2]],
    ['a byte order mark', '\ufeff1', [1]],
  ])('gives the value of %s', (_name, code, values) => {
    const { vm } = newState()
    expect(vm.call(compileCell(vm, code).chunk)).toEqual(values)
  })

  it('keeps globals, and ends locals with the cell', () => {
    const { vm } = newState()
    const run = (code: string) => vm.call(compileCell(vm, code).chunk)
    run('a = 1 local b = 2')
    expect(run('a, b')).toEqual([1, undefined])
  })

  it('keeps line numbers', () => {
    const { vm } = newState()
    expect(() => vm.call(compileCell(vm, 'x = 1\n\nerror("here")', '=cell [1]').chunk)).toThrow('cell [1]:3: here')
    expect(() => compileCell(vm, 'x = 1\ny = = 2', '=cell [2]')).toThrow("cell [2]:2: unexpected symbol near '='")
  })

  it('does not run anything while compiling', () => {
    const { vm } = newState()
    vm.execute('setmetatable(_G, {__index = function(_, k) ran = k end})')
    expect(() => compileCell(vm, 'a.b.c\nx y')).toThrow(LuaSyntaxError)
    expect(vm.execute('return rawget(_G, "ran")')).toEqual([undefined])
  })
})

describe('completeness', () => {
  const { vm } = newState()

  it.each([
    ['1', 'complete'],
    ['x = 1', 'complete'],
    ['', 'complete'],
    ['for i = 1, 2 do print(i) end', 'complete'],
    ['x = = 1', 'invalid'],
    ['end', 'invalid'],
    ['"abc', 'invalid'],
    ['foo bar', 'invalid'],
    ['x = 1\ny z', 'invalid'],
    ['if x then print(1) end end', 'invalid'],
  ])('of %j is %s', (code, status) => {
    expect(completeness(vm, code)).toEqual({ status })
  })

  it.each([
    ['for i = 1, 2 do', '  '],
    ['function f(a, b)', '  '],
    ['if a then\n  for _ in b do', '    '],
    ['if a then\n  b()\nelse', '  '],
    ['if a then\nelseif b then', '  '],
    ['x = {', '  '],
    ['f(', '  '],
    ['x =', ''],
    ['1 +', ''],
    ['x = 1\nx +', ''],
    ['s = [[abc', ''],
    ['--[[ comment', ''],
    ['local', ''],
    ['repeat', '  '],
    ['function f() return function()', '    '],
  ])('of %j is incomplete', (code, indent) => {
    expect(completeness(vm, code)).toEqual({ status: 'incomplete', indent })
  })
})
