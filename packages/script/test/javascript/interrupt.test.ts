import { delay } from '@llmspell/base'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { engineUnderTest, REPLY_MS, type UnderTest, until } from './engine-under-test.ts'

/** How long a case may take on a busy machine. */
const CASE_MS = 2 * REPLY_MS

let js: UnderTest
beforeEach(async () => {
  js = engineUnderTest({
    catalogue: [
      {
        name: 'Never',
        doc: 'For tests.',
        functions: [
          { name: 'ends', doc: 'Does not answer.', parameters: [], sync: true },
          { name: 'mind', doc: 'Answers.', parameters: [{ name: 'value', type: 'any', doc: 'any' }], sync: true },
        ],
      },
    ],
    host: {
      call: ({ name, args, signal }) => (name === 'Never.mind' ? Promise.resolve(args[0]) : untilAborted(signal)),
      input: (_id, _prompt, _password, signal) => untilAborted(signal),
    },
  })
  await js.engine.start()
})
afterEach(async () => {
  await js.engine.dispose()
})

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
}

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
  'a call that blocks in a host function': 'console.log("go"); Never.endsSync()',
  'a loop of blocking calls': 'console.log("go"); for (;;) Never.mindSync(1)',
  'an await of a host function': 'console.log("go"); await Never.ends()',
  'a wait for input': 'console.log("go"); input("? ")',
  'a child process that is waited for': 'console.log("go"); require("node:child_process").execSync("sleep 1000; true")',
  'a child process and its children':
    'console.log("go"); await new Promise((resolve) => require("node:child_process").exec("sleep 1000; true", resolve))',
  'an await of a timer': 'console.log("go"); await new Promise((resolve) => setTimeout(resolve, 1e8))',
}

describe('interrupt', () => {
  for (const [name, code] of Object.entries(endless)) {
    it(
      `stops ${name} and keeps the state`,
      async () => {
        await js.run('let kept = 41')
        const running = js.run(code)
        await until(() => js.text().includes('go'), 'the code to run')
        await delay(30)
        await js.engine.interrupt()
        const outcome = await running
        expect(outcome.error).toMatchObject({ ename: 'Interrupted' })
        expect(outcome.error?.engineLost).toBeUndefined()
        expect(outcome.status).toBe('interrupted')
        expect(await js.value('kept + 1')).toBe('42')
      },
      CASE_MS,
    )
  }

  it('is what ends the endless loop of a script, not that nothing is left to wait for', async () => {
    const running = js.run('console.log("go")\nfunction spin() { while (true); }\nspin()', {
      source: '/tmp/spin.js',
      drain: true,
      wantResult: false,
    })
    await until(() => js.text().includes('go'), 'the script to run')
    await js.engine.interrupt()
    expect(await running).toMatchObject({ status: 'interrupted', error: { ename: 'Interrupted' } })
  })

  it('does no harm when idle, twice, or many times', async () => {
    await js.engine.interrupt()
    await js.run('let kept = 1')
    const running = js.run('while (true);')
    await delay(50)
    await Promise.all(Array.from({ length: 20 }, () => js.engine.interrupt()))
    expect((await running).status).toBe('interrupted')
    await js.engine.interrupt()
    expect(await js.value('kept')).toBe('1')
  })

  it('ends what the cell has left waiting, and not what others have', async () => {
    await js.run('const ticks = setInterval(() => console.log("tick"), 10); 0', { executionId: 'before' })
    const code = `
      console.log('go')
      setTimeout(() => console.log('timer of the stopped cell'), 150)
      setInterval(() => console.log('interval of the stopped cell'), 150)
      const child = require('node:child_process').spawn('sleep', ['1000'])
      await require('node:timers/promises').setTimeout(100)
      console.log('went on')
      globalThis.wentOn = true`
    const running = js.run(code, { executionId: 'stopped' })
    await until(() => js.text('stdout', 'stopped').includes('go'), 'the cell to run')
    await delay(20)
    await js.engine.interrupt()
    expect((await running).status).toBe('interrupted')
    await js.run('await sleep(0.4)')
    expect(js.text('stdout', 'stopped')).toBe('go\n')
    expect(js.text('stderr', 'stopped')).toBe('')
    expect(await js.value('typeof wentOn')).toBe("'undefined'")
    const ticks = js.text('stdout', 'before').length
    await until(() => js.text('stdout', 'before').length > ticks, 'the interval of the cell before')
    await js.run('clearInterval(ticks)')
    const child = Number(await js.value('child.pid'))
    await until(() => !isAlive(child), 'the child process to end')
  })

  it('before the code has started ends it', async () => {
    const running = js.run('globalThis.ran = true')
    const interrupt = js.engine.interrupt()
    await interrupt
    expect(['ok', 'interrupted']).toContain((await running).status)
    expect(await js.value('1 + 1')).toBe('2')
  })
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
