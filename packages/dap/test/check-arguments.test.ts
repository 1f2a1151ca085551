import { describe, expect, test } from 'vitest'
import { checkArguments, isKnownCommand } from '../src/check-arguments.ts'
import { argumentShapes, shapes } from '../src/protocol.generated.ts'

describe('checking arguments', () => {
  test.each([
    ['setBreakpoints', undefined, 'arguments.source is missing'],
    ['setBreakpoints', { source: null }, 'arguments.source is missing'],
    ['setBreakpoints', { source: 'x.lua' }, 'arguments.source must be an object, not a string'],
    ['setBreakpoints', { source: {}, breakpoints: {} }, 'arguments.breakpoints must be a list, not an object'],
    [
      'setBreakpoints',
      { source: {}, breakpoints: [{ line: 1 }, { line: '2' }] },
      'arguments.breakpoints[1].line must be a whole number, not a string',
    ],
    ['setBreakpoints', { source: {}, breakpoints: [null] }, 'arguments.breakpoints[0] must be an object, not null'],
    ['setBreakpoints', { source: { sources: [{ path: 1 }] } }, 'arguments.source.sources[0].path must be a string, not a number'],
    ['variables', { variablesReference: 1.5 }, 'arguments.variablesReference must be a whole number, not a number'],
    ['evaluate', [], 'arguments must be an object, not a list'],
    ['evaluate', 'x', 'arguments must be an object, not a string'],
    ['disconnect', { terminateDebuggee: 'yes' }, 'arguments.terminateDebuggee must be true or false, not a string'],
    ['dumpCell', {}, 'arguments.code is missing'],
    ['source', {}, 'arguments.sourceReference is missing'],
    ['runInTerminal', { cwd: '/', args: [1] }, 'arguments.args[0] must be a string, not a number'],
  ])('%s with %j', (command, args, problem) => {
    expect(checkArguments(command, args)).toBe(problem)
  })

  test.each([
    ['setBreakpoints', { source: { path: 'x', own: 1 }, breakpoints: [{ line: 1, mode: 'x' }], more: [] }],
    ['launch', { program: '/x.lua', __sessionId: 'a', args: [1] }],
    ['restart', { arguments: { program: '/x.lua' } }],
    ['restart', undefined],
    ['disconnect', undefined],
    ['disconnect', null],
    ['modules', undefined],
    ['threads', {}],
    ['threads', undefined],
    ['source', { source: { path: '/x' } }],
    ['debugInfo', { any: 'thing' }],
    ['invented', 7],
    ['toString', undefined],
  ])('%s with %j passes', (command, args) => {
    expect(checkArguments(command, args)).toBeUndefined()
  })

  test('null in a field that may be missing is nothing', () => {
    const args = { expression: 'x', frameId: null, own: null }
    expect(checkArguments('evaluate', args)).toBeUndefined()
    expect(args).toEqual({ expression: 'x', own: null })
  })

  test('the table names only what it describes', () => {
    const words = new Set(['string', 'integer', 'boolean', 'object', 'any'])
    const all = [...Object.values(argumentShapes), ...Object.values(shapes).flatMap((shape) => Object.values(shape))]
    for (const shape of all)
      for (const word of shape.replace(/\?$/, '').split('|')) {
        const name = word.replaceAll('[]', '')
        expect(words.has(name) || Object.hasOwn(shapes, name), shape).toBe(true)
      }
    expect(isKnownCommand('setBreakpoints')).toBe(true)
    expect(isKnownCommand('constructor')).toBe(false)
  })
})
