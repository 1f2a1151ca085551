import { delay, withTimeout } from '@llmspell/base'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type OpenEngine, openEngine, STEP_TIMEOUT_MS } from './open-engine.ts'

const ROUNDS = 100

/** Every cell ends by itself soon, or never; each leaves the namespace as it was. */
const CELLS = [
  'while true do end',
  'while true do pcall(error, "x") end',
  'for i = 1, 2000 do print(i) end',
  'for i = 1, 20 do Agent.query(i) end',
  'sleep(0.01)',
  'sleep(100)',
  'input("? ")',
  'error("x")',
  'local t = {} for i = 1, 20000 do t[i] = { i } end return #t',
  'coroutine.wrap(function() while true do coroutine.yield(Agent.query("x")) end end)()',
  'io.write(("x"):rep(1000000))',
  'os.exit(2)',
  'return kept.text',
]

/** Repeatable, so that a failure can be found again. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

describe('soak', { timeout: 5 * STEP_TIMEOUT_MS }, () => {
  let open: OpenEngine

  beforeAll(async () => {
    open = await openEngine()
    open.host.answer = (call) => delay(1, call.signal).then(() => call.args[0])
    open.host.reply = (_prompt, signal) => delay(2, signal).then(() => 'line')
    await open.run('kept = { text = "safe" }')
  }, STEP_TIMEOUT_MS)

  afterAll(() => open.engine.dispose(), STEP_TIMEOUT_MS)

  it.each([1, 2, 3])('random cells, interrupts and questions at any moment keep the state (seed %i)', async (seed) => {
    const random = numbers(seed)
    for (let round = 0; round < ROUNDS; round++) {
      const code = CELLS[random(CELLS.length)] ?? ''
      const running = open.begin(code)
      const pause = random(4)
      if (pause > 0) await delay(random(8))
      const questions = random(2) === 0 ? [open.engine.complete('kept.', 5, 'lua'), open.engine.variables()] : []
      await withTimeout(open.engine.interrupt(), STEP_TIMEOUT_MS, `round ${round}: the interrupt of ${code}`)
      const outcome = await withTimeout(running, STEP_TIMEOUT_MS, `round ${round}: the end of ${code}`)
      expect([code, outcome.error?.engineLost]).toEqual([code, undefined])
      await withTimeout(Promise.all(questions), STEP_TIMEOUT_MS, `round ${round}: answers during ${code}`)
      open.host.outputs.length = 0
    }
    expect(await open.value('kept.text')).toBe('safe')
    expect(await open.engine.variables()).toMatchObject([{ name: 'kept' }])
  })
})
