import { delay, withTimeout } from '@llmspell/base'
import type { DebugTarget } from '@llmspell/debug'
import { expect, it } from 'vitest'
import { engineUnderTest, REPLY_MS, type UnderTest } from './engine-under-test.ts'

/** Random work on one engine: what a crash, a hang or a lost variable needs to show itself. `LLMSPELL_SOAK_SECONDS` makes it longer. */
const SECONDS = Number(process.env['LLMSPELL_SOAK_SECONDS'] ?? 15)
const SEED = Number(process.env['LLMSPELL_SOAK_SEED'] ?? Date.now() % 1e9)

type Operation = (it: UnderTest, random: () => number) => Promise<void>

/** Starts the code, interrupts it after a while, expects it to end as interrupted. */
function interrupted(code: string): Operation {
  return async ({ run, engine }, random) => {
    const running = run(code)
    await delay(random() * 40)
    const times = random() < 0.2 ? 3 : 1
    await withTimeout(Promise.all(Array.from({ length: times }, () => engine.interrupt())), REPLY_MS, `the interrupt of ${code}`)
    const outcome = await running
    expect(outcome.error?.ename, code).toBe('Interrupted')
    expect(outcome.error?.engineLost, code).toBeUndefined()
  }
}

/** Stops in a loop, sync, behind an await or in a timer; `then` does the rest, or the stop is interrupted. */
function stopped(then: (target: DebugTarget, random: () => number) => Promise<void>, status: 'ok' | 'interrupted'): Operation {
  return async ({ run, engine }, random) => {
    const target = engine.debugTarget as DebugTarget
    await target.attach({})
    let stop: (() => void) | undefined
    const listening = target.onEvent((event) => {
      if (event.type === 'stopped') stop?.()
    })
    try {
      const source = `cell [stop ${Math.floor(random() * 5)}]`
      await target.setBreakpoints(source, [{ id: 9, line: 2, condition: 'each === 3' }])
      const body = 'for (let each = 0; each < 5; each++) {\n  globalThis.seen = each\n}'
      const kind = Math.floor(random() * 3)
      const code =
        kind === 0 ? body : kind === 1 ? `await null; ${body}` : `await new Promise((done) => setTimeout(() => { ${body}; done() }, 2))`
      const stopping = new Promise<void>((resolve) => {
        stop = resolve
      })
      const running = run(code, { source })
      await withTimeout(stopping, REPLY_MS, `the stop in ${code}`)
      await withTimeout(then(target, random), REPLY_MS, 'what is done at a stop')
      if (status === 'interrupted') await withTimeout(engine.interrupt(), REPLY_MS, 'the interrupt of a stop')
      else {
        // A step stops once more.
        const again = new Promise<void>((resolve) => {
          stop = resolve
        })
        const ended = await Promise.race([running.then(() => true), again.then(() => false)])
        if (!ended) {
          await target.setBreakpoints(source, [])
          await target.resume(1, 'continue')
        }
      }
      expect((await withTimeout(running, REPLY_MS, `the end of ${code}`)).status, code).toBe(status)
      await target.setBreakpoints(source, []).catch(() => [])
    } finally {
      listening.dispose()
    }
  }
}

/** With a number of its own, so that the answer to another cell is seen. */
const quick: Operation = async ({ value }, random) => {
  const number = Math.floor(random() * 1e6)
  expect(await value(`${number} + 1`)).toBe(String(number + 1))
}

const operations: Record<string, Operation> = {
  quick,
  quickAgain: quick,
  declare: async ({ value }, random) => {
    const number = Math.floor(random() * 1e6)
    await value(`let drawn = ${number}; const same = drawn; class Kind { n = same }`)
    expect(await value('new Kind().n + drawn')).toBe(String(2 * number))
  },
  async: async ({ value }, random) => {
    expect(await value(`await new Promise((resolve) => setTimeout(resolve, ${random() * 5})); 'late'`)).toBe("'late'")
  },
  typed: async ({ value }) => {
    expect(await value('const typed: number[] = [1, 2]; typed.length', { language: 'typescript' })).toBe('2')
  },
  error: async ({ value }) => {
    expect(await value('null.x')).toMatch(/^TypeError/)
  },
  asyncError: async ({ value }) => {
    expect(await value('await null; throw new RangeError("later")')).toBe('RangeError: later')
  },
  syntaxError: async ({ value }) => {
    expect(await value('let = = 1')).toMatch(/^SyntaxError/)
  },
  output: async ({ run, text }, random) => {
    const lines = Math.floor(random() * 3000)
    const mark = Math.floor(random() * 1e9)
    await run(`for (let i = 0; i < ${lines}; i++) console.log('${mark}', i)`)
    expect(text().split(`${mark} `).length - 1).toBe(lines)
  },
  garbage: async ({ run }) => {
    await run('let heap = []; for (let i = 0; i < 2e5; i++) heap.push({ i, s: String(i) }); heap = undefined')
  },
  call: async ({ value }, random) => {
    const number = Math.floor(random() * 1e6)
    expect(await value(`await Echo.same(${number})`)).toBe(String(number))
  },
  syncCalls: async ({ value }) => {
    expect(await value('let sum = 0; for (let i = 0; i < 20; i++) sum += Echo.sameSync(i); sum')).toBe('190')
  },
  completeWhileBusy: async ({ engine, run }, random) => {
    const running = run('for (const end = Date.now() + 60; Date.now() < end; );')
    await delay(random() * 20)
    const completion = await withTimeout(engine.complete('glob', 4, 'javascript'), REPLY_MS, 'completion while busy')
    expect(completion.items.map((item) => item.text)).toContain('globalThis')
    await running
  },
  late: async ({ run }) => {
    await run('setTimeout(() => { console.log("late"); null.x }, 3); setImmediate(() => Promise.reject(new Error("stray"))); 0')
  },
  debugAttach: async ({ engine }, random) => {
    const target = engine.debugTarget as DebugTarget
    await target.attach({})
    if (random() < 0.5) await target.setExceptionFilters([{ filter: random() < 0.5 ? 'uncaught' : 'caught', condition: 'false' }])
    if (random() < 0.5) await target.setBreakpoints('cell [none]', [{ id: 1, line: 1, condition: 'x > 1' }])
  },
  debugDetach: async ({ engine }) => {
    await (engine.debugTarget as DebugTarget).detach()
  },
  debugStop: stopped(async (target, random) => {
    const { frames } = await target.stackTrace(1, 0, 0)
    const [scope] = await target.scopes(frames[0]?.id ?? 0)
    await target.variables(scope?.reference ?? 0, {})
    expect((await target.evaluate('each * 2', frames[0]?.id, 'watch')).value).toMatch(/^\d+$/)
    await target.resume(1, random() < 0.5 ? 'next' : 'continue')
  }, 'ok'),
  debugInterrupt: stopped(async () => {}, 'interrupted'),
  debugLeave: stopped((target) => target.detach(), 'ok'),
  interruptIdle: async ({ engine }) => {
    await withTimeout(engine.interrupt(), REPLY_MS, 'an interrupt of an idle engine')
  },
  interruptQuick: async ({ engine, run }, random) => {
    const running = run('for (let i = 0; i < 1e5; i++); 1')
    await delay(random() * 3)
    await withTimeout(engine.interrupt(), REPLY_MS, 'an interrupt of a cell that is about to end')
    expect(['ok', 'interrupted']).toContain((await running).status)
  },
  interruptLoop: interrupted('while (true);'),
  interruptAllocation: interrupted('while (true) ({ a: [1, 2, 3].map(String) })'),
  interruptAwait: interrupted('await new Promise(() => {})'),
  interruptTimer: interrupted('setTimeout(() => { while (true); }, 1); await new Promise(() => {})'),
  interruptAfterAwait: interrupted('await null; for (;;) { try { for (;;); } finally { continue; } }'),
  interruptMicrotasks: interrupted('const spin = () => Promise.resolve().then(spin); await spin()'),
  interruptFlood: interrupted('for (;;) console.log("x".repeat(500))'),
  interruptSyncCall: interrupted('for (;;) Echo.sameSync(1)'),
  interruptHangingCall: interrupted('Echo.neverSync()'),
  interruptInput: interrupted('input("never? ")'),
}

it(`survives ${SECONDS} s of everything at random (seed ${SEED})`, { timeout: SECONDS * 1000 + 10 * REPLY_MS }, async () => {
  const random = mulberry32(SEED)
  const under = engineUnderTest({
    catalogue: [
      {
        name: 'Echo',
        doc: 'Answers of the test.',
        functions: [
          { name: 'same', doc: 'Its argument.', parameters: [{ name: 'value', type: 'any', doc: 'anything' }], sync: true },
          { name: 'never', doc: 'No answer.', parameters: [], sync: true },
        ],
      },
    ],
    host: {
      call: ({ name, args, signal }) => (name === 'Echo.same' ? Promise.resolve(args[0]) : untilAborted(signal)),
      input: (_id, _prompt, _password, signal) => untilAborted(signal),
    },
  })
  try {
    await under.engine.start()
    await under.run('const kept = "kept"')
    const { pid } = under.engine.status
    const names = Object.keys(operations)
    const deadline = Date.now() + SECONDS * 1000
    const done: string[] = []
    while (Date.now() < deadline) {
      const name = names[Math.floor(random() * names.length)] as string
      done.push(name)
      try {
        await (operations[name] as Operation)(under, random)
        expect(under.engine.status.pid).toBe(pid)
      } catch (error) {
        throw new Error(
          `operation ${done.length}, after ${done.slice(-5).join(', ')} (seed ${SEED}); logs: ${under.logs.slice(-5).join('; ')}`,
          {
            cause: error,
          },
        )
      }
      under.outputs.length = 0
    }
    expect(await under.value('kept')).toBe("'kept'")
    expect(done.length).toBeGreaterThan(SECONDS)
  } finally {
    await under.engine.dispose()
  }
})

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

/** A small deterministic generator, so that a failing run can be repeated. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
