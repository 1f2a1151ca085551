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

/** Values in the local variables of a function that stands still. */
async function locals(declarations: string): Promise<void> {
  await js.breakAt('cell [1]', 3)
  void js.start(`function look() {\n${declarations.replaceAll('\n', ' ')}\nreturn 1 }\nlook()`, { language: 'typescript' })
  await js.stopped()
}

const names = async (name: string): Promise<string[]> =>
  (await js.expand(await js.find('Local', name))).map((one) => `${one.name}=${one.value}`)

describe('values of JavaScript', { timeout: 2 * REPLY_MS }, () => {
  it('have all their properties, also those whose names are numbers', async () => {
    await locals("const mixed = { 3: 'three', name: 'mixed' }; const reverse = { 0: 'Red', Red: 0 }")
    expect(await names('mixed')).toEqual(["3='three'", "name='mixed'", '[[Prototype]]=Object'])
    expect(await names('reverse')).toEqual(["0='Red'", 'Red=0', '[[Prototype]]=Object'])
    expect((await js.find('Local', 'mixed', '3')).evaluateName).toBe('mixed[3]')
    await js.go()
  })

  it('show where an array has no elements', async () => {
    await locals('const holes = [1, , 3]; const long = new Array(4); const end = [1]; end.length = 3; const bytes = new Uint8Array(0)')
    expect(await js.scope('Local')).toMatchObject({
      holes: '(3) [1, empty, 3]',
      long: '(4) [empty × 4]',
      end: '(3) [1, empty × 2]',
      bytes: 'Uint8Array(0) []',
    })
    await js.go()
  })

  it('are the entries of a WeakMap, too', async () => {
    await locals("const key = { id: 1 }; const weak = new WeakMap([[key, 'value']])")
    const entries = await js.find('Local', 'weak', '[[Entries]]')
    expect((await js.expand(entries))[0]?.value).toBe('{Object => "value"}')
    await js.go()
  })

  it('say of a variable that it has none yet', async () => {
    await js.breakAt('cell [1]', 2)
    void js.start('function early() {\n  const first = Math.max(1, 2)\n  const second = first\n  return () => second + first\n}\nearly()')
    await js.stopped()
    expect(Object.values(await js.scope('Local'))).toContain('<not set yet>')
    await js.go()
  })
})
