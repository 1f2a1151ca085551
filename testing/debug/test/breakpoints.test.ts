import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { languages, type Program, type Texts, writeProgram } from './program.ts'
import { sessions } from './sessions.ts'

const adding: Texts = {
  lua: `
local total = 0
local function add(n)
  local twice = n * 2 -- @body
  total = total + twice
  return total -- @return
end

-- nothing here @
for i = 1, 6 do
  local seen = add(i) -- @call
  print("i " .. i) -- @after
end
print("total " .. total) -- @end
`,
  typescript: `
let total: number = 0
function add(n: number): number {
  const twice: number = n * 2 // @body
  total = total + twice
  return total // @return
}

// nothing here @
for (let i: number = 1; i <= 6; i++) {
  const seen: number = add(i) // @call
  console.log('i ' + i) // @after
}
console.log('total ' + total) // @end
`,
}

const { home, editor } = sessions()

describe.each(languages)('breakpoints in %s', (language) => {
  const adds = (): Program => writeProgram(home().dir, 'adding', language, adding)

  test('one with the condition i == 3 stops once', async () => {
    const program = adds()
    const session = editor()
    const at = [{ line: program.line('call'), condition: 'i == 3' }]
    const bound = await session.start('launch', { program: program.path }, { breakpoints: [{ program, at }] })
    expect(bound).toHaveLength(1)
    const stop = await session.stop()
    expect([stop.reason, stop.line]).toEqual(['breakpoint', program.line('call')])
    expect(stop.frames[0]?.source?.path).toBe(program.path)
    expect(stop.body.hitBreakpointIds).toEqual([bound[0]?.id])
    expect(await session.evaluate('i')).toBe('3')
    expect(await session.finish()).toBe(0)
    expect(session.output('stdout')).toBe('i 1\ni 2\ni 3\ni 4\ni 5\ni 6\ntotal 42\n')
    expect(session.events.filter(({ event }) => event === 'stopped')).toHaveLength(1)
    expect(session.events.filter(({ event }) => event === 'terminated')).toHaveLength(1)
  })

  test.each([
    ['4', [4]],
    ['== 2', [2]],
    ['>= 5', [5, 6]],
    ['% 3', [3, 6]],
  ])('the hit condition %s', async (hitCondition, stops) => {
    const program = adds()
    const session = editor()
    const at = [{ line: program.line('body'), hitCondition }]
    await session.start('launch', { program: program.path }, { breakpoints: [{ program, at }] })
    for (const n of stops) {
      const stop = await session.stop()
      expect([stop.line, await session.evaluate('n')]).toEqual([program.line('body'), String(n)])
      await session.go('continue')
    }
    expect(await session.ended()).toBe(0)
    expect(session.events.filter(({ event }) => event === 'stopped')).toHaveLength(stops.length)
  })

  test('a log point prints and does not stop', async () => {
    const program = adds()
    const session = editor()
    const at = [{ line: program.line('after'), logMessage: 'now {i} of {total + 1}', condition: 'i < 4' }]
    await session.start('launch', { program: program.path }, { breakpoints: [{ program, at }] })
    expect(await session.ended()).toBe(0)
    for (const line of ['now 1 of 3', 'now 2 of 7', 'now 3 of 13']) expect(session.output('console')).toContain(line)
    expect(session.output('console')).not.toContain('now 4')
    expect(session.events.some(({ event }) => event === 'stopped')).toBe(false)
  })

  test('a condition that fails stops and says why', async () => {
    const program = adds()
    const session = editor()
    const at = [{ line: program.line('body'), condition: 'nothing.here' }]
    await session.start('launch', { program: program.path }, { breakpoints: [{ program, at }] })
    expect((await session.stop()).line).toBe(program.line('body'))
    expect(session.output()).toMatch(/nothing/)
    await session.setBreakpoints(program, [])
    expect(await session.finish()).toBe(0)
  })

  test('one on an empty line moves to the next statement and says so', async () => {
    const program = adds()
    const session = editor()
    await session.start('launch', { program: program.path, stopOnEntry: true })
    await session.stop()
    const blank = program.line('return') + 2
    const [bound] = await session.setBreakpoints(program, [{ line: blank }])
    expect(bound?.verified).toBe(true)
    expect(bound?.line).toBeGreaterThan(blank)
    const stop = await session.step('continue')
    expect([stop.reason, stop.line]).toEqual(['breakpoint', bound?.line])
    await session.setBreakpoints(program, [])
    expect(await session.finish()).toBe(0)
  })

  test('one in a file that is not loaded is not verified, and does no harm', async () => {
    const program = adds()
    const elsewhere = { path: join(home().dir, `never-run-${language}.lua`) }
    const session = editor()
    await session.start('launch', { program: program.path, stopOnEntry: true })
    await session.stop()
    for (const path of [elsewhere.path, '/no/such/folder/x.ts']) {
      const [bound] = await session.setBreakpoints({ path }, [{ line: 3 }])
      expect(bound?.verified).toBe(false)
    }
    expect(await session.finish()).toBe(0)
  })

  test('a module that is loaded later, in a folder of an unusual name', async () => {
    const dir = join(home().dir, `häß lich — ${language}`)
    mkdirSync(dir, { recursive: true })
    const library = writeProgram(dir, 'library', language, {
      lua: 'local library = {}\nfunction library.greet(name)\n  return "hello " .. name -- @greet\nend\nreturn library\n',
      typescript: 'export function greet(name: string): string {\n  return "hello " + name // @greet\n}\n',
    })
    const program = writeProgram(dir, 'main', language, {
      lua: 'local library = require("library")\nprint(library.greet("you"))\n',
      typescript: `import { greet } from './library.${language === 'typescript' ? 'ts' : 'js'}'\nconsole.log(greet('you'))\n`,
    })
    writeFileSync(join(dir, 'package.json'), '{"type":"module"}')
    const session = editor()
    const [bound] = await session.start(
      'launch',
      { program: program.path },
      { breakpoints: [{ program: library, at: [{ line: library.line('greet') }] }] },
    )
    const stop = await session.stop()
    expect([stop.line, stop.frames[0]?.source?.path]).toEqual([library.line('greet'), library.path])
    if (!bound?.verified) {
      const changed = session.events.filter(({ event }) => event === 'breakpoint').map(({ body }) => body)
      expect(changed).toContainEqual(expect.objectContaining({ breakpoint: expect.objectContaining({ id: bound?.id, verified: true }) }))
    }
    expect(await session.evaluate('name')).toMatch(/^["']you["']$/)
    expect(await session.finish()).toBe(0)
    expect(session.output('stdout')).toBe('hello you\n')
  })

  test('of a function, by its name', async () => {
    const program = adds()
    const session = editor()
    await session.start('launch', { program: program.path }, { functions: [{ name: 'add', condition: 'n > 4' }] })
    const stop = await session.stop()
    expect(stop.reason).toBe('function breakpoint')
    expect(stop.frames[0]?.name).toMatch(/add/)
    expect(await session.evaluate('n')).toBe('5')
    await session.ask('setFunctionBreakpoints', { breakpoints: [] })
    expect(await session.finish()).toBe(0)
  })

  test('they change while the script runs, and hold over a restart', async () => {
    const program = writeProgram(home().dir, 'waiting', language, {
      lua: 'print("here")\nlocal n = 0\nwhile n < 2000 do\n  n = n + 1 -- @turn\n  sleep(0.01)\nend\n',
      typescript: 'console.log("here")\nlet n: number = 0\nwhile (n < 2000) {\n  n = n + 1 // @turn\n  await sleep(0.01)\n}\n',
    })
    const session = editor()
    await session.start('launch', { program: program.path })
    await session.printed('here')
    const [bound] = await session.setBreakpoints(program, [{ line: program.line('turn') }])
    expect(bound).toMatchObject({ verified: true, line: program.line('turn') })
    expect((await session.stop()).line).toBe(program.line('turn'))
    const before = Number(await session.evaluate('n'))
    expect((await session.step('continue')).line).toBe(program.line('turn'))
    expect(Number(await session.evaluate('n'))).toBe(before + 1)
    await session.ask('restart', {})
    expect((await session.stop()).line).toBe(program.line('turn'))
    expect(await session.evaluate('n')).toBe('0')
    await session.ask('terminate', {})
    await session.ended()
  })
})
