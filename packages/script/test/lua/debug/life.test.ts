import { delay } from '@llmspell/base'
import { afterEach, describe, expect, it } from 'vitest'
import { type DebuggedLua, debugLua, program } from './debug-engine.ts'

const FILE = '/nowhere/life.lua'
/** Until a loop is certainly under way. */
const BUSY_MS = 150

let lua: DebuggedLua

afterEach(async () => {
  await lua.engine.dispose()
})

describe('a debugger that comes late', () => {
  it('meets code that runs already, in a coroutine, too', async () => {
    lua = await debugLua()
    await lua.target.detach()
    const code = `local co = coroutine.wrap(function()
  local n = 0
  while n >= 0 do
    n = n + 1
  end
  coroutine.yield(n)
end)
print(co())`
    const run = lua.begin(code, program(FILE))
    await delay(BUSY_MS)
    await lua.target.attach({})
    expect(await lua.target.loadedSources()).toContain(FILE)
    await lua.breakAt(FILE, 4)
    await lua.stop()
    const { n } = await lua.look('Locals')
    expect(Number(n?.value)).toBeGreaterThan(0)
    await lua.target.setExpression('n', (await lua.top()).id, '-10')
    await lua.breakAt(FILE)
    await lua.go()
    expect(await lua.ended(run)).toMatchObject({ status: 'ok' })
    expect(lua.host.text()).toBe('-9\n')
  })

  it('meets code that waits for the kernel', async () => {
    lua = await debugLua()
    await lua.target.detach()
    let answer: (value: unknown) => void = () => {}
    lua.host.answer = () => new Promise((resolve) => (answer = resolve))
    const run = lua.begin('local a = Agent.query("x")\nlocal b = a\nprint(b)', program(FILE))
    await lua.host.until('the call', () => lua.host.calls.length === 1)
    await lua.target.attach({})
    await lua.breakAt(FILE, 2)
    answer('late')
    await lua.stop()
    expect((await lua.look('Locals'))['a']?.value).toBe('"late"')
    await lua.go()
    await lua.ended(run)
  })
})

describe('a debugger that leaves', () => {
  it('while history is recorded: the script goes on, without it', async () => {
    lua = await debugLua({ recordHistory: true })
    await lua.breakAt(FILE, 2)
    const run = lua.begin('for i = 1, 3 do\n  print(i)\nend', program(FILE))
    await lua.stop()
    await lua.target.detach()
    expect(await lua.ended(run)).toMatchObject({ status: 'ok' })
    expect(lua.host.text()).toBe('1\n2\n3\n')
    expect(await lua.value('coroutine.isyieldable()')).toBe('false')
  })

  it('while it stands still in a callback, and comes back', async () => {
    lua = await debugLua()
    await lua.breakAt(FILE, 2)
    const run = lua.begin('local s = ("abc"):gsub(".", function(c)\n  return c:upper()\nend)\nprint(s)', program(FILE))
    await lua.stop()
    await lua.target.detach()
    await lua.ended(run)
    expect(lua.host.text()).toBe('ABC\n')
    await lua.target.attach({})
    await lua.breakAt(FILE, 1)
    const again = lua.begin('local back = true', program(FILE))
    await lua.stop()
    await lua.go()
    expect(await lua.ended(again)).toMatchObject({ status: 'ok' })
  })
})

describe('an engine that stands still', () => {
  it('answers everything else', async () => {
    lua = await debugLua()
    await lua.run('known = 1')
    await lua.breakAt(FILE, 2)
    const run = lua.begin('print("before")\nlocal x = 1', program(FILE))
    await lua.stop()
    expect(lua.host.text()).toBe('before\n')
    expect((await lua.engine.complete('kno', 3, 'lua')).items.map(({ text }) => text)).toEqual(['known'])
    expect(await lua.engine.isComplete('for i = 1, 2 do', 'lua')).toMatchObject({ status: 'incomplete' })
    expect((await lua.engine.variables()).map(({ name }) => name)).toContain('known')
    expect(await lua.engine.inspect('print', 5, 0, 'lua')).toBeDefined()
    await lua.go()
    await lua.ended(run)
  })

  it('stops in callbacks of comms, and in chunks that were loaded by others', async () => {
    lua = await debugLua()
    await lua.run('Comm.register_target("echo", function(comm, data)\n  got = data.n\nend)', { source: FILE })
    await lua.breakAt(FILE, 2)
    const opened = lua.engine.comm({
      type: 'open',
      executionId: 'c1',
      commId: 'k1',
      targetName: 'echo',
      data: { n: 5 },
      metadata: {},
      buffers: [],
    })
    await lua.stop()
    expect((await lua.target.evaluate('data.n', (await lua.top()).id, 'watch')).value).toBe('5')
    await lua.go()
    expect(await opened).toBe(true)
    expect(await lua.value('got')).toBe('5')
  })

  it('takes ten thousand breakpoints in many sources, and errors in conditions', async () => {
    lua = await debugLua()
    for (let i = 0; i < 20; i++) {
      const specs = Array.from({ length: 500 }, (_, index) => ({ id: i * 1000 + index, line: index + 1, condition: '((' }))
      await lua.target.setBreakpoints(`/nowhere/${i}.lua`, specs)
    }
    const run = lua.begin('local a = 1\nlocal b = 2', program('/nowhere/7.lua'))
    expect((await lua.stop()).breakpointIds).toEqual([7000])
    expect(
      lua.events
        .filter((event) => event.type === 'output')
        .map(({ text }) => text)
        .join(''),
    ).toMatch(/cannot be evaluated/)
    for (let i = 0; i < 20; i++) await lua.target.setBreakpoints(`/nowhere/${i}.lua`, [])
    await lua.go()
    await lua.ended(run)
  })
})

describe('code that never ends', () => {
  const endless = '(function() while true do end end)()'
  const code = 'for i = 1, 2 do\n  local y = i\nend\nprint("done")'

  it('as a condition is given up for a pause', async () => {
    lua = await debugLua()
    await lua.breakAt(FILE, { line: 2, condition: endless })
    const run = lua.begin(code, program(FILE))
    await delay(BUSY_MS)
    await lua.target.pause(1)
    expect(await lua.stop()).toMatchObject({ reason: 'pause' })
    await lua.breakAt(FILE)
    await lua.go()
    expect(await lua.ended(run)).toMatchObject({ status: 'ok' })
    expect(lua.host.text()).toBe('done\n')
  })

  it('as a condition is given up for a debugger that leaves', async () => {
    lua = await debugLua()
    await lua.breakAt(FILE, { line: 2, condition: endless })
    const run = lua.begin(code, program(FILE))
    await delay(BUSY_MS)
    await lua.target.detach()
    expect(await lua.ended(run)).toMatchObject({ status: 'ok' })
    expect(lua.host.text()).toBe('done\n')
  })

  it('answers what was asked meanwhile when the condition has an answer', async () => {
    lua = await debugLua()
    await lua.breakAt(FILE, { line: 2, condition: '(function() for i = 1, 3e6 do end return false end)()' })
    const run = lua.begin(`while not over do\n  local y = 1\nend`, program(FILE))
    await delay(BUSY_MS)
    for (let i = 0; i < 5; i++) expect(await lua.target.loadedSources()).toContain(FILE)
    await lua.target.setBreakpoints(FILE, [])
    await lua.engine.interrupt()
    expect(await lua.ended(run)).toMatchObject({ status: 'interrupted' })
  })

  it('is evaluated until its own signal aborts, or a pause', async () => {
    lua = await debugLua()
    await lua.breakAt(FILE, 2)
    const run = lua.begin(code, program(FILE))
    await lua.stop()
    const frame = (await lua.top()).id
    const first = new AbortController()
    const second = new AbortController()
    const one = lua.target.evaluate(endless, frame, 'repl', first.signal).catch((error: unknown) => error)
    const two = lua.target.evaluate(endless, frame, 'repl', second.signal).catch((error: unknown) => error)
    const three = lua.target.evaluate(endless, frame, 'repl').catch((error: unknown) => error)
    await delay(BUSY_MS)
    second.abort()
    expect(await two).toMatchObject({ code: 'debug.evaluation_failed', message: 'the evaluation was cancelled' })
    first.abort()
    expect(await one).toMatchObject({ code: 'debug.evaluation_failed', message: 'the evaluation was interrupted' })
    await delay(BUSY_MS)
    await lua.target.pause(1)
    expect(await three).toMatchObject({ code: 'debug.evaluation_failed' })
    expect((await lua.target.evaluate('i', frame, 'repl')).value).toBe('1')
    await lua.breakAt(FILE)
    await lua.go()
    expect(await lua.ended(run)).toMatchObject({ status: 'ok' })
  })
})
