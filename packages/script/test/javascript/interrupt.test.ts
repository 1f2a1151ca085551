import { delay } from '@llmspell/base'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { engineUnderTest, REPLY_MS, type UnderTest, until } from './engine-under-test.ts'

/** How long a case may take on a busy machine. */
const CASE_MS = 2 * REPLY_MS

let it_: UnderTest
beforeEach(async () => {
  it_ = engineUnderTest()
  await it_.engine.start()
})
afterEach(async () => {
  await it_.engine.dispose()
})

/** Code that prints `go` and then does not end by itself. */
const endless: Record<string, string> = {
  'a plain loop': 'console.log("go"); while (true);',
  'a loop after an await': 'console.log("go"); await null; while (true);',
  'a loop that catches': 'console.log("go"); while (true) { try { while (true); } catch {} finally { while (true); } }',
  'Atomics.wait': 'console.log("go"); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)',
  'a microtask loop': 'console.log("go"); const f = () => Promise.resolve().then(f); await f()',
  'a loop in a timer callback': 'setTimeout(() => { console.log("go"); while (true); }, 1); await new Promise(() => {})',
  'a loop in an immediate callback': 'setImmediate(() => { console.log("go"); while (true); }); await new Promise(() => {})',
  'a loop in a nextTick callback': 'process.nextTick(() => { console.log("go"); while (true); }); await new Promise(() => {})',
  'an endless chain of nextTicks': 'console.log("go"); const g = () => process.nextTick(g); g(); await new Promise(() => {})',
  'an endless chain of immediates': 'console.log("go"); const h = () => setImmediate(h); h(); await new Promise(() => {})',
  'a backtracking regular expression': 'console.log("go"); /^(a+)+$/.test("a".repeat(64) + "b")',
  'a sort callback': 'console.log("go"); [1, 2, 3].sort(() => { while (true); })',
  'a getter that loops while the result is shown':
    'console.log("go"); ({ [Symbol.for("nodejs.util.inspect.custom")]() { while (true); } })',
  'a flood of output': 'for (;;) console.log("go".repeat(100))',
  'a pending await': 'console.log("go"); await new Promise(() => {})',
  'an await of a timer': 'console.log("go"); await new Promise((resolve) => setTimeout(resolve, 1e8))',
}

describe('interrupt', () => {
  for (const [name, code] of Object.entries(endless)) {
    it(
      `stops ${name} and keeps the state`,
      async () => {
        await it_.run('let kept = 41')
        const running = it_.run(code)
        await until(() => it_.text().includes('go'), 'the code to run')
        await delay(30)
        await it_.engine.interrupt()
        const outcome = await running
        expect(outcome.error).toMatchObject({ ename: 'Interrupted' })
        expect(outcome.error?.engineLost).toBeUndefined()
        expect(outcome.status).toBe('interrupted')
        expect(await it_.value('kept + 1')).toBe('42')
      },
      CASE_MS,
    )
  }

  it('does no harm when idle, twice, or many times', async () => {
    await it_.engine.interrupt()
    await it_.run('let kept = 1')
    const running = it_.run('while (true);')
    await delay(50)
    await Promise.all(Array.from({ length: 20 }, () => it_.engine.interrupt()))
    expect((await running).status).toBe('interrupted')
    await it_.engine.interrupt()
    expect(await it_.value('kept')).toBe('1')
  })
})
