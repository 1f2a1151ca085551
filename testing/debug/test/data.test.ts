import { describe, expect, test } from 'vitest'
import { languages, type Program, type Texts, writeProgram } from './program.ts'
import { sessions } from './sessions.ts'

const kinds: Texts = {
  lua: `
everywhere = "global"
local shared = 7
local list = {}
for i = 1, 250 do list[i] = i * i end
local Animal = { name = "animal" }
Animal.__index = Animal
function Animal:speak() return self.name end
local function visit(first, ...)
  local count, size = select("#", ...), #list
  local text = "grüße 한국 🦊"
  local nested = { inner = { deep = 42 }, [true] = "yes", 10, 20 }
  nested.self = nested
  local cat = setmetatable({ age = 3 }, Animal)
  local none = nil
  local number = first + shared
  print("number " .. number, count) -- @here
  print("after " .. number .. " " .. nested.inner.deep .. " " .. shared) -- @after
  return number
end
visit(1, "extra", false)
print("done " .. everywhere) -- @end
`,
  typescript: `
declare global { var everywhere: string }
globalThis.everywhere = 'global'
let shared = 7
const list: number[] = []
for (let i = 1; i <= 250; i++) list.push(i * i)
class Animal {
  name = 'animal'
  age: number
  reads = 0
  constructor(age: number) { this.age = age }
  get careful(): number { this.reads++; return this.reads }
  speak(): string { return this.name }
}
function visit(first: number, ...rest: unknown[]): number {
  let count = rest.length, size = list.length
  let text = 'grüße 한국 🦊'
  let nested: any = { inner: { deep: 42 }, yes: true, items: [10, 20] }
  nested.self = nested
  let cat = new Animal(3)
  let none = undefined
  let number = first + shared
  console.log('number ' + number, count) // @here
  console.log('after ' + number + ' ' + nested.inner.deep + ' ' + shared) // @after
  return number
}
visit(1, 'extra', false)
console.log('done ' + globalThis.everywhere) // @end
export {}
`,
}

const { home, editor } = sessions()

describe.each(languages)('data of %s', (language) => {
  const stopped = async (mark = 'here'): Promise<{ session: ReturnType<typeof editor>; program: Program }> => {
    const program = writeProgram(home().dir, 'kinds', language, kinds)
    const session = editor()
    const [bound] = await session.start(
      'launch',
      { program: program.path },
      { breakpoints: [{ program, at: [{ line: program.line(mark) }] }] },
    )
    expect(bound?.line).toBe(program.line(mark))
    await session.stop()
    return { session, program }
  }

  test('locals, the outer locals and the globals', async () => {
    const { session } = await stopped()
    for (const [name, value] of [
      ['first', '1'],
      ['count', '2'],
      ['number', '8'],
      ['shared', '7'],
    ] as const) {
      expect((await session.variable(name)).value, name).toBe(value)
    }
    expect((await session.variable('text')).value).toContain('grüße 한국 🦊')
    expect((await session.variable('none')).value).toMatch(/^(nil|undefined)$/)
    const scopes = await session.scopes()
    expect(scopes.find(({ presentationHint }) => presentationHint === 'locals')?.expensive).toBe(false)
    const globals = scopes.find(({ name }) => /global/i.test(name))
    expect(globals).toBeDefined()
    expect(await session.evaluate('everywhere')).toMatch(/^["']global["']$/)
    expect(await session.finish()).toBe(0)
  })

  test('what a function was given beyond its parameters', async () => {
    const { session } = await stopped()
    if (language === 'lua') {
      const scope = (await session.scopes()).find(({ name }) => /vararg/i.test(name))
      const values = (await session.variables(Number(scope?.variablesReference))).map(({ value }) => value)
      expect(values).toEqual([expect.stringContaining('extra'), 'false'])
    } else {
      const rest = await session.variable('rest')
      const inside = await session.variables(rest.variablesReference)
      expect(inside.find(({ name }) => name === '0')?.value).toContain('extra')
      expect(inside.find(({ name }) => name === '1')?.value).toBe('false')
    }
    expect(await session.finish()).toBe(0)
  })

  test('tables and objects open level by level, even when they hold themselves', async () => {
    const { session } = await stopped()
    let nested = await session.variable('nested')
    for (let level = 0; level < 5; level++) {
      const members = await session.variables(nested.variablesReference)
      const inner = members.find(({ name }) => name === 'inner')
      expect((await session.variables(Number(inner?.variablesReference))).find(({ name }) => name === 'deep')?.value).toBe('42')
      const self = members.find(({ name }) => name === 'self')
      expect(self?.variablesReference).toBeGreaterThan(0)
      nested = { ...nested, ...self }
    }
    expect(await session.finish()).toBe(0)
  })

  test('a long list comes in pages', async () => {
    const { session } = await stopped()
    const list = await session.variable('list')
    expect(list.indexedVariables).toBe(250)
    const page = await session.variables(list.variablesReference, { filter: 'indexed', start: 100, count: 50 })
    expect(page).toHaveLength(50)
    const first = language === 'lua' ? 101 : 100
    expect(page[0]).toMatchObject({ value: String(101 * 101) })
    expect(page[0]?.name).toMatch(new RegExp(`^\\[?${first}\\]?$`))
    const named = await session.variables(list.variablesReference, { filter: 'named' })
    expect(named.every(({ name }) => !/^\[?\d+\]?$/.test(name))).toBe(true)
    expect(await session.finish()).toBe(0)
  })

  test('what an object inherits is found, and getters do not run by themselves', async () => {
    const { session } = await stopped()
    const cat = await session.variable('cat')
    const members = await session.variables(cat.variablesReference)
    expect(members.find(({ name }) => name === 'age')?.value).toBe('3')
    expect(await session.evaluate('cat.name')).toMatch(/^["']animal["']$/)
    if (language !== 'lua') expect(await session.evaluate('cat.reads')).toBe('0')
    else expect(members.map(({ name }) => name).join(' ')).toMatch(/metatable/)
    expect(await session.finish()).toBe(0)
  })

  test('a local, an outer local and a field are set, and the program goes on with them', async () => {
    const { session } = await stopped('after')
    expect(await session.setVariable('number', '90 + 9')).toBe('99')
    expect(await session.setVariable('shared', '70')).toBe('70')
    const nested = await session.variable('nested')
    const inner = (await session.variables(nested.variablesReference)).find(({ name }) => name === 'inner')
    const set = await session.ask('setVariable', { variablesReference: inner?.variablesReference, name: 'deep', value: '43' })
    expect((set.body as { value: string }).value).toBe('43')
    expect(await session.evaluate('number', 'watch')).toBe('99')
    expect(await session.finish()).toBe(0)
    expect(session.output('stdout')).toContain('after 99 43 70\n')
  })

  test('expressions in the watch, the REPL and under the mouse', async () => {
    const { session } = await stopped('after')
    expect(await session.evaluate('number * 2 + shared', 'watch')).toBe('23')
    expect(await session.evaluate('nested.inner.deep', 'hover')).toBe('42')
    expect(await session.evaluate('shared', 'watch', 1)).toBe('7')
    await session.evaluate('number = 55', 'repl')
    await session.evaluate('everywhere = "changed"', 'repl')
    expect(await session.evaluate('number', 'watch')).toBe('55')
    // under the mouse nothing may happen
    await session.evaluate('print("never")', 'hover').catch(() => {})
    await session.evaluate(language === 'lua' ? 'cat:speak()' : 'cat.careful', 'hover').catch(() => {})
    if (language !== 'lua') expect(await session.evaluate('cat.reads')).toBe('0')
    expect(await session.finish()).toBe(0)
    expect(session.output('stdout')).toContain('after 55 42 7\n')
    expect(session.output('stdout')).toContain('done changed\n')
    expect(session.output('stdout')).not.toContain('never')
  })

  test.each(['number +', ')', 'no.such.thing', 'end end', '"open'])(
    'the expression %j is refused with a reason, and all goes on',
    async (expression) => {
      const { session } = await stopped()
      for (const context of ['watch', 'repl', 'hover']) {
        await expect(session.evaluate(expression, context)).rejects.toThrow(/\S{3}/)
      }
      const { scope } = await session.variable('number')
      await expect(
        session.ask('setVariable', { variablesReference: scope.variablesReference, name: 'number', value: expression }),
      ).rejects.toThrow(/\S/)
      expect(await session.evaluate('number')).toBe('8')
      expect(await session.finish()).toBe(0)
    },
  )

  test('completions of what is typed into the REPL', async () => {
    const { session } = await stopped()
    expect(session.capabilities.supportsCompletionsRequest).toBe(true)
    const stop = await session.ask('stackTrace', { threadId: (await session.threads())[0]?.id })
    const frameId = (stop.body as { stackFrames: { id: number }[] }).stackFrames[0]?.id
    const offered = async (text: string): Promise<string[]> => {
      const answer = await session.ask('completions', { frameId, text, column: text.length + 1 })
      return (answer.body as { targets: { label: string }[] }).targets.map(({ label }) => label)
    }
    expect(await offered('num')).toContain('number')
    expect(await offered('nested.inn')).toContain('inner')
    expect(await offered('sha')).toContain('shared')
    expect(await session.finish()).toBe(0)
  })

  test('references of a stop are refused after it', async () => {
    const { session, program } = await stopped()
    const { scope } = await session.variable('number')
    await session.setBreakpoints(program, [{ line: program.line('end') }])
    await session.step('continue')
    await expect(session.variables(scope.variablesReference)).rejects.toThrow(/\S/)
    expect(await session.finish()).toBe(0)
  })
})
