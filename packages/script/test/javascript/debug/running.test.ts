import { delay, withTimeout } from '@llmspell/base'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { REPLY_MS, until } from '../engine-under-test.ts'
import { type Debugged, debugged } from './debugger-under-test.ts'

const functions = ['fail', 'answer'].map((name) => ({ name, doc: 'Of the test.', parameters: [], sync: true }))
let js: Debugged
beforeEach(async () => {
  js = debugged({
    catalogue: [
      { name: 'Tool', doc: 'Of the test.', functions },
      { name: 'State', doc: 'Of the test.', functions },
    ],
    host: {
      call: async ({ name }) => {
        if (name.endsWith('fail')) throw new RangeError(`${name} said no`)
        await delay(20)
        return 42
      },
    },
  })
  await js.engine.start()
  await js.target.attach({})
})
afterEach(async () => {
  await js.engine.dispose()
})

const SLOW = `async function inner(n) {
  await null
  const got = n + 1
  return got
}
async function outer(n) {
  const value = await inner(n)
  return value * 2
}
`

describe('a script under a debugger', { timeout: 2 * REPLY_MS }, () => {
  it('shows what awaits the code that stands still', async () => {
    await js.breakAt('cell [1]', 3)
    const outcome = js.start(`${SLOW}await outer(1)`)
    await js.stopped()
    expect(await js.places()).toEqual(['inner:3', '-- await', 'outer:7', '(top level):10'])
    const frames = await js.frames()
    expect(await js.target.scopes(frames[2]?.id ?? 0)).toEqual([])
    await js.go()
    expect((await outcome).result?.['text/plain']).toBe('4')
  })

  it('steps over and into awaits', async () => {
    await js.breakAt('cell [1]', 10)
    const outcome = js.start(`${SLOW}const first = await outer(1)\nconst second = await outer(first)\nsecond`)
    await js.stopped()
    await js.go('next')
    expect(await js.stopped()).toMatchObject({ reason: 'step' })
    expect(await js.places()).toEqual(['(top level):11'])
    await js.go('stepIn')
    await js.stopped()
    expect((await js.places())[0]).toBe('outer:7')
    await js.go('next')
    await js.stopped()
    expect((await js.places())[0]).toBe('outer:8')
    await js.go()
    expect((await outcome).result?.['text/plain']).toBe('10')
  })

  it('stops in callbacks of timers, promises, emitters and arrays', async () => {
    await js.breakAt('cell [1]', 2, 5, 9, 12)
    const outcome = js.start(
      `setTimeout(() => {
  globalThis.timed = true
}, 1)
Promise.resolve(7).then((value) => {
  globalThis.value = value
})
const { EventEmitter } = require('node:events')
const emitter = new EventEmitter().on('x', (what) => {
  globalThis.what = what
})
;[1].map((each) => {
  return each
})
emitter.emit('x', 1)
await sleep(0.2)`,
    )
    const lines: (number | undefined)[] = []
    for (let index = 0; index < 4; index++) {
      await js.stopped()
      const frames = await js.frames()
      expect(frames.every(({ source }) => source === undefined || source === 'cell [1]')).toBe(true)
      lines.push(frames[0]?.line)
      await js.go()
    }
    expect(new Set(lines)).toEqual(new Set([2, 5, 9, 12]))
    await outcome
  })

  it('is interrupted where it stands, and keeps its breakpoints', async () => {
    await js.breakAt('cell [1]', 2)
    for (let round = 0; round < 3; round++) {
      const outcome = js.start('await null\nvar here = 1\nhere', { source: 'cell [1]' })
      await js.stopped()
      await withTimeout(js.engine.interrupt(), REPLY_MS, 'an interrupt at a stop')
      expect(await outcome).toMatchObject({ status: 'interrupted', error: { ename: 'Interrupted' } })
    }
    const { pid } = js.engine.status
    expect(await js.value('1 + 1')).toBe('2')
    expect(js.engine.status.pid).toBe(pid)
    expect(js.events.filter((event) => event.type === 'continued')).toHaveLength(3)
  })

  it('is interrupted in a timer callback, in a sync call, and with a breakpoint in a busy loop', async () => {
    await js.breakAt('cell [1]', 2)
    const timer = js.start('setTimeout(() => {\n  globalThis.x = 1\n}, 1)\nawait new Promise(() => {})', { source: 'cell [1]' })
    await js.stopped()
    await js.engine.interrupt()
    expect((await timer).status).toBe('interrupted')
    await js.breakAt('cell [1]')
    const busy = js.start('console.log("go")\nfor (;;) {\n  globalThis.x++\n}', { source: 'cell [2]' })
    await until(() => js.text().includes('go'), 'the loop')
    await js.breakAt('cell [2]', { line: 3, condition: 'false' })
    await delay(30)
    await js.engine.interrupt()
    expect((await busy).status).toBe('interrupted')
    expect(await js.value('1 + 1')).toBe('2')
  })

  it('is paused while it waits, when it goes on', async () => {
    const outcome = js.start('console.log("go")\nawait sleep(0.3)\nconst next = 1\nnext')
    await until(() => js.text().includes('go'), 'the cell')
    await js.target.pause(1)
    expect(await js.stopped()).toMatchObject({ reason: 'pause' })
    expect((await js.frames())[0]?.source).toBe('cell [1]')
    await js.go()
    expect((await outcome).result?.['text/plain']).toBe('1')
  })

  it('prints before it stops', async () => {
    await js.breakAt('cell [1]', 2)
    const outcome = js.start('for (let i = 0; i < 2000; i++) console.log("line", i)\nvar end = 1')
    await js.stopped()
    expect(js.text()).toContain('line 1999\n')
    await js.go()
    await outcome
  })

  it('answers questions of others while it stands still', async () => {
    await js.run('var wizard = { wand: 1 }')
    await js.breakAt('cell [2]', 1)
    const outcome = js.start('var here = 1', { source: 'cell [2]' })
    await js.stopped()
    expect((await js.engine.complete('wizard.w', 8, 'javascript')).items.map((item) => item.text)).toContain('wand')
    expect((await js.engine.inspect('wizard', 3, 0, 'javascript'))?.['text/plain']).toContain('wizard')
    expect((await js.engine.variables()).map((one) => one.name)).toContain('wizard')
    await js.go()
    await outcome
  })

  it('may end its process while it stands still', async () => {
    await js.breakAt('cell [1]', 1)
    const outcome = js.start('var here = 1')
    await js.stopped()
    const [top] = await js.frames()
    await js.target.evaluate('process.exit(3)', top?.id, 'repl').catch(() => {})
    expect(await outcome).toMatchObject({ exit: { code: 3 } })
    await until(() => js.events.some((event) => event.type === 'lost'), 'the loss of the engine')
    expect(await js.value('1 + 1', { source: 'cell [2]' })).toBe('2')
  })

  it('can be thrown away in every state', async () => {
    await js.breakAt('cell [1]', 1)
    const outcome = js.start('var here = 1')
    await js.stopped()
    await withTimeout(js.engine.dispose(), REPLY_MS, 'the end of the engine')
    expect((await outcome).status).not.toBe('ok')
    await js.target.detach()
  })

  it('runs on when the debugger leaves it at a stop, and is as fast as before', async () => {
    await js.breakAt('cell [1]', 1)
    const outcome = js.start('var here = 41\nhere + 1')
    await js.stopped()
    await js.target.detach()
    expect((await outcome).result?.['text/plain']).toBe('42')
    expect(await js.value('here')).toBe('41')
  })

  it('stops with errors of tools, awaited or not, and not with those of others', async () => {
    await js.target.setExceptionFilters([{ filter: 'tool' }])
    const outcome = js.start(
      `try {
  await State.fail()
} catch {}
try {
  await Tool.fail()
} catch {}
try {
  Tool.failSync()
} catch {}
'done'`,
    )
    expect(await js.stopped()).toMatchObject({ reason: 'exception', text: expect.stringContaining('Tool.fail said no') })
    expect(await js.places()).toEqual(['-- await', '(top level):5'])
    expect(await js.target.exceptionInfo(1)).toMatchObject({ id: 'RangeError', description: 'Tool.fail said no' })
    await js.go()
    await js.stopped()
    expect((await js.places())[0]).toBe('(top level):8')
    await js.go()
    expect((await outcome).result?.['text/plain']).toBe("'done'")
    expect(js.events.filter((event) => event.type === 'stopped')).toHaveLength(2)
  })

  it('stops with what nothing catches, also behind an await, and not with what is caught', async () => {
    await js.target.setExceptionFilters([{ filter: 'uncaught' }])
    const code = `async function risky(n) {
  await null
  throw new Error('risky ' + n)
}
try {
  await risky(1)
} catch {}
await risky(2).catch(() => {})
await risky(3)`
    const outcome = js.start(code)
    expect(await js.stopped()).toMatchObject({ reason: 'exception', text: expect.stringContaining('risky 3') })
    expect((await js.places())[0]).toBe('risky:3')
    expect(await js.target.exceptionInfo(1)).toMatchObject({ uncaught: true })
    await js.go()
    expect(await outcome).toMatchObject({ status: 'error', error: { evalue: 'risky 3' } })
    const plain = js.start('function f() {\n  null.x\n}\nf()')
    await js.stopped()
    expect((await js.places())[0]).toBe('f:2')
    await js.go()
    expect(await plain).toMatchObject({ status: 'error', error: { ename: 'TypeError' } })
    const late = js.start('await null\nnull.y')
    await js.stopped()
    expect(await js.places()).toEqual(['(top level):2'])
    await js.go()
    await late
    const timer = js.start('setTimeout(() => {\n  null.z\n}, 1)\nawait sleep(0.2)')
    await js.stopped()
    expect((await js.places())[0]).toMatch(/:2$/)
    await js.go()
    await timer
  })
})
