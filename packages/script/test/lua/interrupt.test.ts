import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { delay, withTimeout } from '@llmspell/base'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type OpenEngine, openEngine, STEP_TIMEOUT_MS } from './open-engine.ts'

/** Ways to run for ever, or nearly, that a script has; many of them catch the first interrupt. */
const ENDLESS: Record<string, string> = {
  'a plain loop': 'while true do end',
  'a loop of calls': 'local function f() end while true do f() end',
  'a loop of tail calls': 'local function f() return f() end f()',
  'a goto loop': '::top:: goto top',
  'a loop that catches interrupts': 'while true do pcall(function() while true do end end) end',
  'twenty nested loops that catch interrupts':
    'local function nest(n) while true do pcall(function() if n == 0 then while true do end end nest(n - 1) end) end end nest(20)',
  'a message handler that loops': 'while true do xpcall(error, function() while true do end end) end',
  'a loop in a coroutine': 'coroutine.wrap(function() while true do end end)()',
  'a coroutine whose errors are swallowed': 'while true do coroutine.resume(coroutine.create(function() while true do end end)) end',
  'a sort comparator': 'local t = {} for i = 1, 1000 do t[i] = i end while true do table.sort(t, function(a, b) return a > b end) end',
  'a host call': 'Agent.query("never")',
  'a loop around a host call that catches interrupts': 'while true do pcall(Agent.query, "never") end',
  'string churn': 'local s = "" while true do s = ("x"):rep(1000) .. #s end',
  'a loop in a finalizer': 'setmetatable({}, { __gc = function() while true do end end }) collectgarbage() while true do end',
  'a pathological gsub': '("a"):rep(30000):gsub(("a*"):rep(8) .. "b", "")',
  'an exponential pattern': 'string.find(("a"):rep(40), ("a-"):rep(30) .. "b")',
  'a huge repetition': 'while true do local s = ("x"):rep(2^28) end',
  'a sort without comparator':
    'local t = {} for i = 1, 3e6 do t[i] = (i * 7919) % 3000017 end while true do table.sort(t) t[1], t[#t] = t[#t], t[1] end',
  'a huge concatenation': 'local t = {} for i = 1, 1e6 do t[i] = "some text" end while true do table.concat(t) end',
}

/** For the code to get to where it is hard to stop. */
const DEEP_INSIDE_MS = 30

describe('interrupts', { timeout: 2 * STEP_TIMEOUT_MS }, () => {
  let open: OpenEngine

  beforeAll(async () => {
    open = await openEngine({ memoryLimit: 1024 ** 3 })
    open.host.answer = (call) => (call.args[0] === 'never' ? new Promise(() => {}) : undefined)
    await open.run('kept = { "safe" }')
  }, STEP_TIMEOUT_MS)

  afterAll(() => open.engine.dispose(), STEP_TIMEOUT_MS)

  it.each(Object.entries(ENDLESS))('stop %s and keep the state', async (name, code) => {
    const { engine, host } = open
    const running = open.begin(`Agent.query(${JSON.stringify(name)});\n${code}`)
    await host.until(`${name} to begin`, () => host.calls.at(-1)?.args[0] === name, STEP_TIMEOUT_MS)
    await delay(DEEP_INSIDE_MS)
    await withTimeout(engine.interrupt(), STEP_TIMEOUT_MS, `the interrupt of ${name}`)
    const outcome = await withTimeout(running, STEP_TIMEOUT_MS, `the end of ${name}`)
    expect(outcome).toMatchObject({ status: 'interrupted', error: { ename: 'Interrupted' } })
    expect(outcome.error?.engineLost).toBeUndefined()
    expect(await open.value('kept[1]')).toBe('safe')
  })

  it('can be caught once, by code that then ends', async () => {
    const { engine, host } = open
    // On a busy machine the worker may not run before the interrupt that cannot be caught is due: then try again.
    for (let attempt = 0; attempt < 20; attempt++) {
      const running = open.begin('print("catching") local ok, reason = pcall(function() while true do end end) print(ok, reason)')
      await host.until('the loop', () => host.text().endsWith('catching\n'), STEP_TIMEOUT_MS)
      await withTimeout(engine.interrupt(), STEP_TIMEOUT_MS, 'the interrupt')
      if ((await running).status === 'ok') break
    }
    expect(host.text()).toMatch(/false\tinterrupted\n$/)
  })

  it('close what the script has open', async () => {
    const { engine, host } = open
    const code = 'local guard <close> = setmetatable({}, { __close = function() print("closed") end }) print("open") while true do end'
    for (let attempt = 0; attempt < 20 && !host.text().endsWith('closed\n'); attempt++) {
      const running = open.begin(code)
      await host.until('the loop', () => host.text().endsWith('open\n'), STEP_TIMEOUT_MS)
      await withTimeout(engine.interrupt(), STEP_TIMEOUT_MS, 'the interrupt')
      expect((await running).status).toBe('interrupted')
    }
    expect(host.text()).toMatch(/open\nclosed\n$/)
  })

  it('reach code that has not begun yet', async () => {
    for (let round = 0; round < 20; round++) {
      const running = open.begin('while true do end')
      await withTimeout(open.engine.interrupt(), STEP_TIMEOUT_MS, 'an immediate interrupt')
      expect((await running).status).toBe('interrupted')
    }
  })

  it('never hit the next cell', async () => {
    for (let round = 0; round < 50; round++) {
      const running = open.begin('local s = 0 for i = 1, 20000 do s = s + i end')
      const interrupting = open.engine.interrupt()
      await running
      expect((await open.run('for i = 1, 20000 do end')).status).toBe('ok')
      await interrupting
    }
  })

  it('leave no question unanswered', async () => {
    const { engine, host } = open
    const running = open.begin('print("waiting") sleep(3600)')
    await host.until('the sleep', () => host.text().endsWith('waiting\n'), STEP_TIMEOUT_MS)
    const questions = [engine.complete('kept[1], str', 12, 'lua'), engine.complete('kept[1], kep', 12, 'lua')]
    await withTimeout(engine.interrupt(), STEP_TIMEOUT_MS, 'the interrupt')
    await running
    // The catalogue alone, which answers when the namespace does not, knows no variable.
    expect((await Promise.all(questions)).map(({ items }) => items[0]?.text)).toEqual(['string', 'kept'])
  })

  it('end a wait for a line of io.read', async () => {
    const { engine, host } = open
    host.reply = (_prompt, signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    const running = open.begin('io.read()')
    await host.until('the question', () => host.prompts.length > 0, STEP_TIMEOUT_MS)
    await withTimeout(engine.interrupt(), STEP_TIMEOUT_MS, 'the interrupt')
    expect((await running).status).toBe('interrupted')
  })

  it('replace an engine that the operating system holds', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'llmspell-pipe-'))
    const pipe = join(directory, 'pipe')
    execFileSync('mkfifo', [pipe])
    const held = await openEngine()
    try {
      const running = held.begin(`print("opening") io.open(${JSON.stringify(pipe)}):read()`)
      await held.host.until('the cell', () => held.host.text() === 'opening\n', STEP_TIMEOUT_MS)
      await delay(DEEP_INSIDE_MS)
      await withTimeout(held.engine.interrupt(), STEP_TIMEOUT_MS, 'the interrupt')
      expect(await running).toMatchObject({ status: 'interrupted', error: { engineLost: true } })
      expect(await held.value('1 + 1')).toBe('2')
    } finally {
      // The other end of the pipe: the thread that was left behind ends.
      const end = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK)
      await held.engine.dispose()
      closeSync(end)
      rmSync(directory, { recursive: true })
    }
  })

  it('end a command and the processes it started', async () => {
    const { engine, host } = open
    const running = open.begin('print("starting") os.execute("sleep 3600 & sleep 3600")')
    await host.until('the command', () => host.text().endsWith('starting\n'), STEP_TIMEOUT_MS)
    await withTimeout(engine.interrupt(), STEP_TIMEOUT_MS, 'the interrupt')
    expect((await running).status).toBe('interrupted')
  })
})
