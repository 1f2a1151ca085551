import { describe, expect, test } from 'vitest'
import { languages, type Texts, writeProgram } from './program.ts'
import { sessions } from './sessions.ts'

const calls: Texts = {
  lua: `
local function inner(n)
  local m = n + 1 -- @inner
  return m
end
local function outer(n)
  local a = inner(n) -- @outer
  local b = inner(a) -- @second
  return a + b -- @sum
end
local x = outer(1) -- @call
local y = outer(x) -- @again
print(x, y) -- @print
`,
  typescript: `
function inner(n: number): number {
  const m = n + 1 // @inner
  return m
}
function outer(n: number): number {
  const a = inner(n) // @outer
  const b = inner(a) // @second
  return a + b // @sum
}
const x = outer(1) // @call
const y = outer(x) // @again
console.log(x, y) // @print
`,
}

const { home, editor } = sessions()

describe.each(languages)('stepping in %s', (language) => {
  test('over, into and out of calls', async () => {
    const program = writeProgram(home().dir, 'calls', language, calls)
    const session = editor()
    await session.start('launch', { program: program.path }, { breakpoints: [{ program, at: [{ line: program.line('call') }] }] })
    expect((await session.stop()).line).toBe(program.line('call'))
    const over = await session.step('next')
    expect([over.reason, over.line]).toEqual(['step', program.line('again')])
    const into = await session.step('stepIn')
    expect([into.reason, into.line]).toEqual(['step', program.line('outer')])
    expect(into.frames[0]?.name).toMatch(/outer/)
    expect(into.frames[1]?.line).toBe(program.line('again'))
    const deeper = await session.step('stepIn')
    expect(deeper.line).toBe(program.line('inner'))
    expect(deeper.frames.slice(0, 3).map(({ line }) => line)).toEqual([program.line('inner'), program.line('outer'), program.line('again')])
    const out = await session.step('stepOut')
    expect(out.frames[0]?.name).toMatch(/outer/)
    // back in the middle of the calling line, or behind it
    expect([program.line('outer'), program.line('second')]).toContain(out.line)
    const outside = await session.step('stepOut')
    expect([program.line('again'), program.line('print')]).toContain(outside.line)
    expect(await session.finish()).toBe(0)
    expect(session.output('stdout')).toMatch(/^5\s+13\n$/)
  })

  test('over a call that calls itself stays in its own frame', async () => {
    const program = writeProgram(home().dir, 'recursion', language, {
      lua: 'local function down(n)\n  if n == 0 then return 0 end\n  local rest = down(n - 1) -- @call\n  return rest + 1 -- @after\nend\nprint(down(5))\n',
      typescript:
        'function down(n: number): number {\n  if (n === 0) return 0\n  const rest = down(n - 1) // @call\n  return rest + 1 // @after\n}\nconsole.log(down(5))\n',
    })
    const session = editor()
    const at = [{ line: program.line('call'), condition: 'n == 4' }]
    await session.start('launch', { program: program.path }, { breakpoints: [{ program, at }] })
    await session.stop()
    const after = await session.step('next')
    expect([after.line, await session.evaluate('n'), await session.evaluate('rest')]).toEqual([program.line('after'), '4', '3'])
    expect(await session.finish()).toBe(0)
  })

  test('a breakpoint in the body of a callback, and out of it', async () => {
    const program = writeProgram(home().dir, 'callbacks', language, {
      lua: `
local words = {}
local text = string.gsub("one two three", "%a+", function(word)
  words[#words + 1] = word -- @body
  return word:upper()
end)
table.sort(words, function(a, b)
  return a > b -- @compare
end)
print(text, table.concat(words, " ")) -- @print
`,
      typescript: `
const words: string[] = []
const text = 'one two three'.replace(/[a-z]+/g, (word: string) => {
  words.push(word) // @body
  return word.toUpperCase()
})
words.sort((a, b) => {
  return a < b ? 1 : -1 // @compare
})
console.log(text, words.join(' ')) // @print
`,
    })
    const session = editor()
    const at = [{ line: program.line('body'), hitCondition: '2' }, { line: program.line('compare') }]
    await session.start('launch', { program: program.path }, { breakpoints: [{ program, at }] })
    expect((await session.stop()).line).toBe(program.line('body'))
    expect(await session.evaluate('word')).toMatch(/^["']two["']$/)
    const compare = await session.step('continue')
    expect(compare.line).toBe(program.line('compare'))
    await session.setBreakpoints(program, [{ line: program.line('print') }])
    expect((await session.step('continue')).line).toBe(program.line('print'))
    expect(await session.finish()).toBe(0)
    expect(session.output('stdout')).toMatch(/^ONE TWO THREE\s+two three one\n$/)
  })

  test('launch with stopOnEntry stops before the first line', async () => {
    const program = writeProgram(home().dir, 'entry', language, {
      lua: '-- a comment first\n\nlocal a = 1 -- @first\nprint(a)\n',
      typescript: '// a comment first\n\nconst a: number = 1 // @first\nconsole.log(a)\n',
    })
    const session = editor()
    await session.start('launch', { program: program.path, stopOnEntry: true })
    const stop = await session.stop()
    expect([stop.reason, stop.line]).toEqual(['entry', program.line('first')])
    expect(session.output('stdout')).toBe('')
    expect((await session.step('next')).line).toBe(program.line('first') + 1)
    expect(await session.finish()).toBe(0)
    expect(session.output('stdout')).toBe('1\n')
  })

  test('pauses a busy loop and lets it end by a new value', async () => {
    const program = writeProgram(home().dir, 'busy', language, {
      lua: 'local stop = false\nlocal turns = 0\nprint("spinning")\nwhile not stop do\n  turns = turns + 1\nend\nprint("stopped")\n',
      typescript:
        'let stop: boolean = false\nlet turns: number = 0\nconsole.log("spinning")\nwhile (!stop) {\n  turns = turns + 1\n}\nconsole.log("stopped")\n',
    })
    const session = editor()
    await session.start('launch', { program: program.path })
    await session.printed('spinning')
    const [thread] = await session.threads()
    await session.ask('pause', { threadId: thread?.id })
    const stop = await session.stop()
    expect(stop.reason).toBe('pause')
    expect(stop.line).toBeGreaterThanOrEqual(4)
    expect(stop.line).toBeLessThanOrEqual(6)
    expect(Number(await session.evaluate('turns'))).toBeGreaterThan(0)
    expect(await session.setVariable('stop', 'true')).toBe('true')
    expect(await session.finish()).toBe(0)
    expect(session.output('stdout')).toBe('spinning\nstopped\n')
  })
})

describe('coroutines of Lua', () => {
  const text = `
local function numbers()
  for i = 1, 3 do
    local twice = i * 2 -- @body
    coroutine.yield(twice) -- @yield
  end
end
local next = coroutine.wrap(numbers)
local a = next() -- @first
local b = next() -- @second
print(a, b) -- @print
`

  test('a breakpoint in the body stops in a thread of its own', async () => {
    const program = writeProgram(home().dir, 'coroutine', 'lua', { lua: text, typescript: '' })
    const session = editor()
    await session.start('launch', { program: program.path }, { breakpoints: [{ program, at: [{ line: program.line('body') }] }] })
    const stop = await session.stop()
    expect(stop.line).toBe(program.line('body'))
    const threads = await session.threads()
    expect(threads.length).toBeGreaterThanOrEqual(2)
    expect(threads.map(({ id }) => id)).toContain(stop.threadId)
    expect(await session.evaluate('i')).toBe('1')
    expect((await session.step('next')).line).toBe(program.line('yield'))
    await session.setBreakpoints(program, [{ line: program.line('print') }])
    const last = await session.step('continue')
    expect([last.line, await session.evaluate('b')]).toEqual([program.line('print'), '4'])
    expect(await session.finish()).toBe(0)
  })

  test('a step over resume stays with the one that resumes', async () => {
    const program = writeProgram(home().dir, 'resume', 'lua', { lua: text, typescript: '' })
    const session = editor()
    await session.start('launch', { program: program.path }, { breakpoints: [{ program, at: [{ line: program.line('first') }] }] })
    await session.stop()
    expect((await session.step('next')).line).toBe(program.line('second'))
    const inside = await session.step('stepIn')
    expect(inside.line).toBeLessThan(program.line('first'))
    expect(await session.finish()).toBe(0)
    expect(session.output('stdout')).toMatch(/^2\s+4\n$/)
  })
})

describe.each(['typescript', 'javascript'] as const)('asynchronous functions in %s', (language) => {
  test('a step goes over await, and the stack tells who waits', async () => {
    const program = writeProgram(home().dir, 'waiting', language, {
      lua: '',
      typescript: `
async function fetchNumber(n: number): Promise<number> {
  await sleep(0.01) // @await
  const twice = n * 2 // @after
  return twice
}
async function main(): Promise<void> {
  const got = await fetchNumber(21) // @main
  console.log(got)
}
await main()
`,
    })
    const session = editor()
    await session.start('launch', { program: program.path }, { breakpoints: [{ program, at: [{ line: program.line('await') }] }] })
    await session.stop()
    const after = await session.step('next')
    expect(after.line).toBe(program.line('after'))
    expect(await session.evaluate('n')).toBe('21')
    const names = after.frames.map(({ name }) => name).join(' ')
    expect(names).toMatch(/main/)
    expect(after.frames.every(({ source }) => !source?.path?.includes('llmspell/packages'))).toBe(true)
    expect(await session.finish()).toBe(0)
    expect(session.output('stdout')).toBe('42\n')
  })
})

describe('back in time', () => {
  const text = `
local sum = 0 -- @zero
for i = 1, 4 do
  sum = sum + i -- @add
end
print(sum) -- @print
`

  test('Lua steps back and runs backwards when it was asked to record', async () => {
    const program = writeProgram(home().dir, 'history', 'lua', { lua: text, typescript: '' })
    const session = editor()
    const at = [{ line: program.line('add') }]
    await session.start('launch', { program: program.path, recordHistory: true }, { breakpoints: [{ program, at }] })
    for (const sum of ['0', '1', '3']) {
      await session.stop()
      expect(await session.evaluate('sum')).toBe(sum)
      if (sum !== '3') await session.go('continue')
    }
    const before = await session.step('stepBack')
    expect([before.reason, before.line]).toEqual(['step', program.line('add') - 1])
    for (const sum of ['1', '0']) {
      expect((await session.step('reverseContinue')).line).toBe(program.line('add'))
      expect(await session.evaluate('sum')).toBe(sum)
    }
    await session.setVariable('sum', '100')
    await session.setBreakpoints(program, [])
    expect(await session.finish()).toBe(0)
    expect(session.output('stdout')).toBe('110\n')
  })

  test.each(languages)('%s refuses it where nothing was recorded, and says so', async (language) => {
    const program = writeProgram(home().dir, 'no-history', language, {
      lua: 'local a = 1\nlocal b = 2 -- @stop\nprint(a + b)\n',
      typescript: 'const a: number = 1\nconst b: number = 2 // @stop\nconsole.log(a + b)\n',
    })
    const session = editor()
    await session.start('launch', { program: program.path }, { breakpoints: [{ program, at: [{ line: program.line('stop') }] }] })
    await session.stop()
    await expect(session.go('stepBack')).rejects.toThrow(/recordHistory|record|back/i)
    expect(await session.finish()).toBe(0)
  })
})
