import { describe, expect, test } from 'vitest'
import { languages, type Program, type Texts, writeProgram } from './program.ts'
import { sessions } from './sessions.ts'

const failing: Texts = {
  lua: `
local function risky(what)
  local marker = what .. "!"
  error("broken " .. what) -- @throw
end
local ok = pcall(risky, "first") -- @caught
print("went on", ok)
risky("second") -- @uncaught
print("never")
`,
  typescript: `
function risky(what: string): void {
  const marker = what + '!'
  throw new TypeError('broken ' + what) // @throw
}
try {
  risky('first') // @caught
} catch {
  console.log('went on')
}
risky('second') // @uncaught
console.log('never')
`,
}

const { home, editor } = sessions()

describe.each(languages)('errors in %s', (language) => {
  const fails = (): Program => writeProgram(home().dir, 'failing', language, failing)

  test('one that nothing catches stops where it was raised, with all its frames', async () => {
    const program = fails()
    const session = editor()
    await session.start('launch', { program: program.path }, { exceptions: ['uncaught'] })
    const stop = await session.stop()
    expect([stop.reason, stop.line]).toEqual(['exception', program.line('throw')])
    expect(stop.frames.map(({ line }) => line)).toContain(program.line('uncaught'))
    expect((await session.variable('marker')).value).toContain('second!')
    const info = (await session.ask('exceptionInfo', { threadId: stop.threadId })).body as {
      exceptionId: string
      description: string
      breakMode: string
    }
    expect(info.description).toContain('broken second')
    expect(info.exceptionId).toBe(language === 'lua' ? 'LuaError' : 'TypeError')
    expect(info.breakMode).toMatch(/unhandled|always|userUnhandled/)
    expect(await session.finish()).toBe(1)
    expect(session.output('stderr')).toContain('broken second')
    expect(session.output('stdout')).not.toContain('never')
  })

  test('caught ones stop, too, when asked for', async () => {
    const program = fails()
    const session = editor()
    await session.start('launch', { program: program.path }, { exceptions: ['caught', 'uncaught'] })
    const first = await session.stop()
    expect([first.reason, first.line]).toEqual(['exception', program.line('throw')])
    expect((await session.variable('marker')).value).toContain('first!')
    const second = await session.step('continue')
    expect(second.reason).toBe('exception')
    expect((await session.variable('marker')).value).toContain('second!')
    expect(await session.finish()).toBe(1)
    expect(session.events.filter(({ event }) => event === 'stopped')).toHaveLength(2)
  })

  test('none stop when no filter is set, and the error is printed once', async () => {
    const program = fails()
    const session = editor()
    await session.start('launch', { program: program.path })
    expect(await session.ended()).toBe(1)
    expect(session.events.some(({ event }) => event === 'stopped')).toBe(false)
    expect(session.output('stderr').split('broken second')).toHaveLength(2)
  })
})
