import { describe, expect, test } from 'vitest'
import { background } from './background.ts'
import { languages, type Program, type Texts, writeProgram } from './program.ts'
import { sessions } from './sessions.ts'

const counting: Texts = {
  lua: `
local stop = false
local n = 0
print("counting")
while not stop do
  n = n + 1 -- @turn
  if n % 10 == 0 then print("n " .. n) end
  sleep(0.02)
end
print("over " .. n) -- @end
`,
  typescript: `
let stop: boolean = false
let n: number = 0
console.log('counting')
while (!stop) {
  n = n + 1 // @turn
  if (n % 10 === 0) console.log('n ' + n)
  await sleep(0.02)
}
console.log('over ' + n) // @end
`,
}

const { home, editor } = sessions()

describe.each(languages)('attach to a run of %s', (language) => {
  const counts = (): Program => writeProgram(home().dir, 'counting', language, counting)

  test('stops it, looks, leaves while it goes on, comes again and changes it', async () => {
    const program = counts()
    const run = background(home(), ['run', program.path])
    await run.prints('counting')

    const first = editor()
    await first.start('attach', { run: program.path }, { breakpoints: [{ program, at: [{ line: program.line('turn') }] }] })
    const stop = await first.stop()
    expect([stop.reason, stop.line, stop.frames[0]?.source?.path]).toEqual(['breakpoint', program.line('turn'), program.path])
    const n = Number(await first.evaluate('n'))
    expect((await first.step('continue')).line).toBe(program.line('turn'))
    expect(Number(await first.evaluate('n'))).toBe(n + 1)
    await first.close()
    await run.prints(`n ${Math.ceil((n + 5) / 10) * 10}`)

    const second = editor()
    await second.start('attach', { run: program.path })
    await second.ask('pause', { threadId: (await second.threads())[0]?.id })
    await second.stop()
    expect(Number(await second.evaluate('n'))).toBeGreaterThan(n)
    await second.evaluate('stop = true')
    await second.go('continue')
    expect(await run.ended()).toBe(0)
    expect(run.printed()).toMatch(/over \d+\n$/)
    await second.close()
  })

  test('an editor that is killed at a stop leaves the script running and the kernel well', async () => {
    const program = counts()
    const run = background(home(), ['run', program.path])
    await run.prints('counting')
    const first = editor()
    await first.start('attach', { run: program.path }, { breakpoints: [{ program, at: [{ line: program.line('turn') }] }] })
    await first.stop()
    const n = Number(await first.evaluate('n'))
    await first.kill()
    await run.prints(`n ${Math.ceil((n + 5) / 10) * 10}`)

    const second = editor()
    await second.start('attach', { run: program.path }, { breakpoints: [{ program, at: [{ line: program.line('turn') }] }] })
    await second.stop()
    await second.evaluate('stop = true')
    await second.close()
    expect(await run.ended()).toBe(0)
    const again = await home().llmspell(['exec', '--lang', language, '6 * 7'])
    expect(again.stdout.trim()).toBe('42')
  })

  test('of two editors one controls and the other looks on; it takes over when the first leaves', async () => {
    const program = counts()
    const run = background(home(), ['run', program.path])
    await run.prints('counting')
    const first = editor()
    await first.start('attach', { run: program.path }, { breakpoints: [{ program, at: [{ line: program.line('turn') }] }] })
    await first.stop()
    const second = editor()
    await second.start('attach', { run: program.path })
    const [thread] = await second.threads()
    const trace = await second.ask('stackTrace', { threadId: thread?.id })
    expect((trace.body as { stackFrames: { line: number }[] }).stackFrames[0]?.line).toBe(program.line('turn'))
    await expect(second.ask('continue', { threadId: thread?.id })).rejects.toThrow(/control|observ|another|other/i)
    await first.close()
    await second.ask('pause', { threadId: thread?.id })
    await second.stop()
    await second.evaluate('stop = true')
    await second.close()
    expect(await run.ended()).toBe(0)
  })

  test('a function of an earlier cell stops when another client calls it', async () => {
    const source =
      language === 'lua'
        ? 'function greet(name) local text = "hello " .. name print(text) end'
        : 'function greet(name) { const text = "hello " + name; console.log(text) }'
    expect((await home().llmspell(['exec', '--lang', language, source])).code).toBe(0)
    const session = editor()
    await session.start('attach', {}, { functions: [{ name: 'greet' }] })
    const call = background(home(), ['exec', '--lang', language, 'greet("you")'])
    const stop = await session.stop()
    expect(stop.reason).toBe('function breakpoint')
    expect(await session.evaluate('name')).toMatch(/^["']you["']$/)
    // what is no file is shown from the kernel
    const cell = stop.frames[0]?.source
    const text = await session.ask('source', { source: cell, sourceReference: cell?.sourceReference ?? 0 })
    expect((text.body as { content: string }).content).toContain('hello')
    await session.go('continue')
    expect(await call.ended()).toBe(0)
    expect(call.printed()).toContain('hello you')
    await session.close()
  })
})

test('attach to what is not there says so', async () => {
  const kernel = editor()
  await expect(kernel.start('attach', { kernel: 'nobody' })).rejects.toThrow(/nobody/)
  await kernel.close()
  const run = editor()
  await expect(run.start('attach', { run: '/no/such/script.lua' })).rejects.toThrow(/script\.lua/)
  await run.close()
})
