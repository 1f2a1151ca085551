import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { REPLY_MS } from '../engine-under-test.ts'
import { type Debugged, debugged } from './debugger-under-test.ts'

let js: Debugged
beforeEach(async () => {
  js = debugged()
  await js.engine.start()
})
afterEach(async () => {
  await js.engine.dispose()
})

const FUNCTION = `function add(a, b) {
  const sum = a + b
  return sum
}
`

describe('a breakpoint', { timeout: 2 * REPLY_MS }, () => {
  it('in a plain cell stops, shows stack and locals, and lets go on', async () => {
    await js.target.attach({})
    expect(await js.breakAt('cell [1]', 3)).toMatchObject([{ verified: false }])
    const outcome = js.start(`${FUNCTION}var result = add(1, 2)\nresult`)
    expect(await js.stopped()).toMatchObject({ reason: 'breakpoint', breakpointIds: [1] })
    expect(js.events).toContainEqual({ type: 'breakpoint', breakpoint: { id: 1, verified: true, line: 3 } })
    expect(await js.places()).toEqual(['add:3', '(top level):5'])
    expect(await js.scope('Local')).toMatchObject({ a: '1', b: '2', sum: '3' })
    await js.go()
    expect((await outcome).result?.['text/plain']).toBe('3')
  })

  it('in a cell with await and let stops too', async () => {
    await js.target.attach({})
    await js.breakAt('cell [1]', 2, 4)
    const outcome = js.start('let first = 1\nlet second = first + 1\nawait null\nlet third = second + 1\nthird')
    await js.stopped()
    expect(await js.places()).toEqual(['(top level):2'])
    await js.go()
    await js.stopped()
    expect(await js.places()).toEqual(['(top level):4'])
    expect(await js.scope('Cell variables')).toMatchObject({ first: '1', second: '2' })
    await js.go()
    expect((await outcome).result?.['text/plain']).toBe('3')
  })

  it('in a function of a cell that ran before the debugger came', async () => {
    await js.run(FUNCTION)
    await js.target.attach({})
    expect(await js.breakAt('cell [1]', 2)).toMatchObject([{ verified: true, line: 2 }])
    const outcome = js.start('add(3, 4)')
    await js.stopped()
    expect(await js.places()).toEqual(['add:2', '(top level):1'])
    await js.go()
    expect((await outcome).result?.['text/plain']).toBe('7')
  })

  it('step over, into and out of functions', async () => {
    await js.target.attach({ stopOnEntry: true })
    const outcome = js.start(`${FUNCTION}var one = add(1, 1)\nvar two = add(one, one)\ntwo`)
    expect(await js.stopped()).toMatchObject({ reason: 'entry' })
    expect(await js.places()).toEqual(['(top level):5'])
    await js.go('next')
    expect(await js.stopped()).toMatchObject({ reason: 'step' })
    expect(await js.places()).toEqual(['(top level):6'])
    await js.go('stepIn')
    await js.stopped()
    expect(await js.places()).toEqual(['add:2', '(top level):6'])
    await js.go('stepOut')
    await js.stopped()
    expect(await js.places()).toEqual(['(top level):7'])
    await js.go('next')
    expect((await outcome).result?.['text/plain']).toBe('4')
    expect(js.events.at(-1)).toEqual({ type: 'continued', threadId: 1 })
  })
})

const FAILING = `const wait = (ms) => new Promise((done) => setTimeout(done, ms))
async function fail(text) {
  await wait(1)
  throw new Error(text)
}
function guarded() {
  try {
    throw new Error('inner')
  } catch {
    return 1
  }
}
await wait(1)
`

describe('errors that are caught', { timeout: 2 * REPLY_MS }, () => {
  it('neither stop a script for which only uncaught ones do, nor disturb its steps', async () => {
    await js.target.attach({})
    await js.target.setExceptionFilters([{ filter: 'uncaught' }])
    await js.breakAt('cell [1]', 14)
    const outcome = js.start(`${FAILING}var a = guarded()
var b = guarded() + guarded()
var c = await fail('handled').catch(() => 1)
var kept = fail('handled').then(null, () => 1)
var d = await kept
var e = await Promise.allSettled([fail('settled')])
var f = await Promise.all([wait(2), fail('one of several').catch(() => 1)])
a + b + c + d`)
    await js.stopped()
    for (const line of [15, 16, 17, 18, 19, 20, 21]) {
      await js.go('next')
      expect(await js.stopped()).toMatchObject({ reason: 'step' })
      expect(await js.places()).toEqual([`(top level):${line}`])
    }
    await js.go()
    expect((await outcome).result?.['text/plain']).toBe('5')
  })

  it('are passed by a step out of a function', async () => {
    await js.target.attach({})
    await js.target.setExceptionFilters([{ filter: 'uncaught' }])
    await js.breakAt('cell [1]', 8)
    const outcome = js.start(`${FAILING}var a = guarded()\nvar b = 2\na + b`)
    await js.stopped()
    expect(await js.places()).toEqual(['guarded:8', '(top level):14'])
    await js.go('stepOut')
    expect(await js.stopped()).toMatchObject({ reason: 'step' })
    expect(await js.places()).toEqual(['(top level):15'])
    await js.go()
    expect((await outcome).result?.['text/plain']).toBe('3')
  })

  it('are those of one promise of several, and others stop', async () => {
    await js.target.attach({})
    await js.target.setExceptionFilters([{ filter: 'uncaught' }])
    const outcome = js.start(`${FAILING}await Promise.all([fail('handled').catch(() => 1), wait(3).then(() => fail('not handled'))])`)
    expect(await js.stopped()).toMatchObject({ reason: 'exception', text: 'Error: not handled' })
    await js.go()
    expect((await outcome).status).toBe('error')
  })
})
