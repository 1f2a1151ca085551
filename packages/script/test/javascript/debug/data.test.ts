import { withTimeout } from '@llmspell/base'
import type { Variable } from '@llmspell/debug'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { REPLY_MS } from '../engine-under-test.ts'
import { type Debugged, debugged } from './debugger-under-test.ts'

let js: Debugged
beforeEach(async () => {
  js = debugged()
  await js.engine.start()
  await js.target.attach({})
})
afterEach(async () => {
  await js.engine.dispose()
})

/** Runs code in a function and stands at its end. */
async function standAfter(code: string, before = ''): Promise<{ end: () => Promise<unknown>; frame: number }> {
  const lines = code.split('\n').length + 1 + (before === '' ? 0 : before.split('\n').length)
  await js.breakAt('cell [data]', lines + 1)
  const outcome = js.start(`${before === '' ? '' : `${before}\n`}(function main() {\n${code}\nreturn 'end' })()`, { source: 'cell [data]' })
  await js.stopped()
  return {
    frame: (await js.frames())[0]?.id ?? 0,
    end: async () => {
      await js.breakAt('cell [data]')
      await js.go()
      return (await withTimeout(outcome, REPLY_MS, 'the end of the cell')).result?.['text/plain']
    },
  }
}

const named = (variables: readonly Variable[], name: string): Variable | undefined => variables.find((one) => one.name === name)

describe('values of JavaScript', { timeout: 2 * REPLY_MS }, () => {
  it('are shown as developers know them', async () => {
    const { end } = await standAfter(
      `const nothing = undefined, none = null, big = 12n, minus = -0, sym = Symbol('s'), text = "it's\\n한국어 🎉"
const list = [1, 'two', , { three: 3 }], object = { a: 1, b: 'x', nested: { deep: true }, f() {} }
const map = new Map([['k', { v: 1 }]]), set = new Set([1, 'b']), date = new Date(0), re = /x+/g
const error = new TypeError('bad'), bytes = new Uint8Array([1, 2]), promise = Promise.resolve(5)
class Point { #hidden = 7; x = 1; static make() {} get y() { throw new Error('no') } }
const point = new Point(), arrow = async (a, b) => a, wrapped = new Proxy({}, { get() { throw new Error('trap') }, ownKeys() { throw new Error('trap') }, getPrototypeOf() { throw new Error('trap') } })`,
    )
    expect(await js.scope('Local')).toMatchObject({
      nothing: 'undefined',
      none: 'null',
      big: '12n',
      minus: '-0',
      sym: 'Symbol(s)',
      text: "'it\\'s\\n한국어 🎉'",
      list: "(4) [1, 'two', empty, {…}]",
      object: "{a: 1, b: 'x', nested: {…}, f: ƒ}",
      map: "Map(1) {'k' => {v: 1}}",
      set: "Set(2) {1, 'b'}",
      re: '/x+/g',
      error: 'TypeError: bad',
      bytes: 'Uint8Array(2) [1, 2]',
      promise: 'Promise {<fulfilled>: 5}',
      Point: 'class Point',
      point: 'Point {#hidden: 7, x: 1}',
      arrow: 'async ƒ (a, b) =>',
      wrapped: 'Proxy(Object)',
    })
    const point = await js.expand(await js.find('Local', 'point'))
    expect(point.map((one) => one.name)).toEqual(['x', '#hidden', '[[Prototype]]'])
    const prototype = await js.expand(named(point, '[[Prototype]]'))
    expect(named(prototype, 'y')).toMatchObject({ value: '(…)', hint: { lazy: true } })
    const map = await js.expand(await js.find('Local', 'map'))
    const [entry] = await js.expand(named(map, '[[Entries]]'))
    expect(entry).toMatchObject({ name: '0', value: "{'k' => {…}}" })
    expect((await js.expand(entry)).map((one) => [one.name, one.value]).slice(0, 2)).toEqual([
      ['key', "'k'"],
      ['value', '{v: 1}'],
    ])
    const wrapped = await js.expand(await js.find('Local', 'wrapped'))
    expect(wrapped.map((one) => one.name)).toEqual(['[[Handler]]', '[[Target]]', '[[IsRevoked]]'])
    const list = await js.expand(await js.find('Local', 'list'))
    expect(list.map((one) => one.name)).toEqual(['0', '1', '3', 'length', '[[Prototype]]'])
    expect(await end()).toBe("'end'")
  })

  it('with getters run them only when asked', async () => {
    const { end } = await standAfter(
      `let ran = 0
const lazy = { get value() { ran++; return { inside: ran } }, get broken() { throw new RangeError('broken') }, set only(v) {} }`,
    )
    const lazy = await js.expand(await js.find('Local', 'lazy'))
    expect(named(lazy, 'value')).toMatchObject({ value: '(…)', hint: { lazy: true } })
    expect(await js.scope('Local')).toMatchObject({ ran: '0' })
    const [value] = await js.expand(named(lazy, 'value'))
    expect(value).toMatchObject({ value: '{inside: 1}' })
    await expect(js.expand(named(lazy, 'broken'))).rejects.toThrow(/RangeError: broken/)
    expect(named(lazy, 'only')).toMatchObject({ reference: 0 })
    expect(await end()).toBe("'end'")
  })

  it('of any size come in pages', async () => {
    const { end, frame } = await standAfter(
      `const map = new Map(Array.from({ length: 1e6 }, (_, i) => [i, 'v' + i]))
const big = {}
for (let i = 0; i < 2e5; i++) big['p' + i] = i
const sparse = new Array(1e9)
const long = 'y'.repeat(1e8)
const holder = { long, other: 1 }
const floats = new Float64Array(3e6)`,
    )
    const values = await js.scope('Local')
    expect(values['map']).toBe('Map(1000000) {…}')
    expect(values['long']).toMatch(/^'y{96}…' \(100000000 characters\)$/)
    const entries = named(await js.expand(await js.find('Local', 'map')), '[[Entries]]')
    expect(entries?.indexed).toBe(1_000_000)
    const page = await js.target.variables(entries?.reference ?? 0, { filter: 'indexed', start: 999_990, count: 100 })
    expect(page.map((one) => one.value).at(-1)).toBe("{999999 => 'v999999'}")
    const big = await js.find('Local', 'big')
    expect(big.named).toBe(200_001)
    const part = await js.target.variables(big.reference, { filter: 'named', start: 150_000, count: 3 })
    expect(part.map((one) => one.name)).toEqual(['p150000', 'p150001', 'p150002'])
    expect((await js.target.variables(big.reference, {})).length).toBe(10_000)
    expect((await js.find('Local', 'sparse')).indexed).toBe(1e9)
    expect(await js.target.variables((await js.find('Local', 'sparse')).reference, { filter: 'indexed', start: 5e8, count: 10 })).toEqual(
      [],
    )
    const holder = await js.expand(await js.find('Local', 'holder'))
    expect(named(holder, 'long')?.value.length).toBeLessThan(2000)
    expect(named(holder, 'other')?.value).toBe('1')
    expect((await js.target.evaluate('long', frame, 'watch')).value.length).toBeLessThan(2000)
    expect((await js.target.evaluate('long.length', frame, 'watch')).value).toBe('100000000')
    const floats = await js.find('Local', 'floats')
    expect(await js.target.readMemory(floats.memoryReference ?? '', 24e6 - 4, 10)).toMatchObject({ data: new Uint8Array(4), unreadable: 6 })
    expect(await end()).toBe("'end'")
  })

  it('are set: locals, closures, constants not, properties, elements, entries and cell variables', async () => {
    const { end, frame } = await standAfter(
      `let count = 1
const fixed = 2
{ const inner = 3; count += inner }
const record = Object.freeze({ a: 1 }), list = [1, 2], map = new Map([['k', 1]])
const add = () => { count = count + 1; return count }`,
      'var shared = 1\nlet lexical = 1\nconst constant = 5;',
    )
    const scopes = await js.target.scopes(frame)
    const reference = (name: string): number => scopes.find((one) => one.name === name)?.reference ?? 0
    expect(scopes.map((one) => one.name)).toEqual(['Local', 'Cell variables', 'Global'])
    expect((await js.target.setVariable(reference('Local'), 'count', 'count * 10')).value).toBe('40')
    expect(await js.scope('Local')).toMatchObject({ count: '40' })
    expect((await js.target.evaluate('add()', frame, 'repl')).value).toBe('41')
    expect(await js.scope('Local')).toMatchObject({ count: '41' })
    await expect(js.target.setVariable(reference('Local'), 'fixed', '3')).rejects.toThrow(/constant/)
    await expect(js.target.setExpression('fixed', frame, '3')).rejects.toThrow(/constant/)
    await expect(js.target.setVariable((await js.find('Local', 'record')).reference, 'a', '3')).rejects.toThrow(/read only/)
    expect((await js.target.setVariable((await js.find('Local', 'list')).reference, '1', '[3]')).value).toBe('(1) [3]')
    const entries = named(await js.expand(await js.find('Local', 'map')), '[[Entries]]')
    await js.target.setVariable(entries?.reference ?? 0, '0', '99')
    expect((await js.target.evaluate("map.get('k')", frame, 'watch')).value).toBe('99')
    await js.target.setVariable(reference('Cell variables'), 'shared', "'new'")
    await js.target.setVariable(reference('Cell variables'), 'lexical', '7')
    await expect(js.target.setVariable(reference('Cell variables'), 'constant', '7')).rejects.toThrow(/constant/)
    expect((await js.target.setExpression('record.b', frame, '1').catch((error: Error) => error)) as unknown).toBeDefined()
    expect(await js.scope('Cell variables')).toMatchObject({ shared: "'new'", lexical: '7', constant: '5' })
    expect(await end()).toBe("'end'")
    expect(await js.value('[shared, lexical, constant]')).toBe("[ 'new', 7, 5 ]")
  })

  it('are shown, whatever a script has done to the built-in objects', async () => {
    await js.run(
      `Object.prototype.extra = 1
Error.prepareStackTrace = () => { throw new Error('mine') }
Array.prototype[Symbol.iterator] = () => { throw new Error('mine') }
Map.prototype.entries = Reflect.ownKeys = JSON.stringify = Object.getOwnPropertyDescriptor = () => { throw new Error('mine') }
Array.prototype.map = Array.prototype.filter = () => { throw new Error('mine') }
0`,
    )
    const { end, frame } = await standAfter(
      "const list = [1, { a: 2 }], map = new Map([[1, 2]])\nconst odd = { [Symbol.toStringTag]: 'Odd', toString() { throw 1 } }",
    )
    expect(await js.scope('Local')).toMatchObject({ list: '(2) [1, {…}]', map: 'Map(1) {1 => 2}' })
    expect((await js.expand(await js.find('Local', 'list'))).map((one) => one.name)).toContain('0')
    expect((await js.target.evaluate('list.length', frame, 'watch')).value).toBe('2')
    expect((await js.target.completions('lis', 3, frame)).map((one) => one.label)).toContain('list')
    await js.breakAt('cell [data]', { line: 4, logMessage: 'list {list[0]}', condition: 'map.size === 1' })
    await js.go()
    void end
    await expect
      .poll(() => js.events.some((event) => event.type === 'output' && event.text === 'list 1\n') || js.engine.status.state === 'idle')
      .toBe(true)
  })

  it('are not touched by a hover, and an expression that never ends is cut', async () => {
    const { end, frame } = await standAfter('let n = 0\nconst bump = () => ++n\nconst proxy = new Proxy({}, { get() { n = 100 } })')
    await expect(js.target.evaluate('bump()', frame, 'hover')).rejects.toThrow()
    await expect(js.target.evaluate('proxy.x', frame, 'hover')).rejects.toThrow()
    await expect(js.target.evaluate('while (true);', frame, 'watch')).rejects.toThrow('the evaluation took longer than 3 s and was ended')
    await expect(js.target.evaluate('(() => { for (;;); })()', frame, 'hover')).rejects.toThrow('longer than 1 s')
    await expect(js.target.evaluate('await bump()', frame, 'repl')).rejects.toThrow(/await/)
    expect((await js.target.evaluate('n', frame, 'watch')).value).toBe('0')
    expect((await js.target.evaluate('({ a: n as number }).a satisfies number', frame, 'repl')).value).toBe('0')
    expect((await js.target.evaluate('{ a: n }', frame, 'repl')).value).toBe('{a: 0}')
    expect((await js.target.evaluate('n ? 1 : "x".repeat(2000)', frame, 'clipboard')).value).toHaveLength(2000)
    expect(await end()).toBe("'end'")
  })

  it('are rendered as the result of a cell', async () => {
    const { end, frame } = await standAfter(
      "const table = { toJSON() {}, a: 1 }\nconst html = { [Symbol.for('Jupyter.display')]: () => ({ 'text/html': '<b>x</b>', 'text/plain': 'x' }) }",
    )
    expect((await js.target.render?.('table', frame))?.data['text/plain']).toContain('a: 1')
    expect(await end()).toBe("'end'")
    expect((await js.target.globals()).reference).toBeGreaterThan(0)
  })
})
