import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { languages, writeProgram } from './program.ts'
import { sessions } from './sessions.ts'

const { home, editor } = sessions()

describe.each(languages)('launch of %s', (language) => {
  const lua = language === 'lua'

  test('arguments, folder and environment are the given ones; each stream keeps its name', async () => {
    const folder = join(home().dir, 'a folder')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'note.txt'), 'found')
    const program = writeProgram(home().dir, 'given', language, {
      lua: 'print(Args[1], Args[2], os.getenv("SPELL_WORD"), os.getenv("LANG"))\nprint(io.open("note.txt"):read("a"))\nio.stderr:write("complaint\\n")\n',
      typescript:
        'import { readFileSync } from "node:fs"\nconsole.log(Args[0], Args[1], process.env.SPELL_WORD, process.env.LANG)\nconsole.log(readFileSync("note.txt", "utf8"))\nconsole.error("complaint")\n',
    })
    const session = editor()
    await session.start('launch', {
      program: program.path,
      args: ['one', 'two words'],
      cwd: folder,
      env: { SPELL_WORD: 'wörter', LANG: null },
    })
    expect(await session.ended()).toBe(0)
    expect(session.output('stdout')).toMatch(/^one\s+two words\s+wörter\s+(nil|undefined)\nfound\n$/)
    expect(session.output('stderr')).toBe('complaint\n')
  })

  test('the exit code is the one of the script', async () => {
    const program = writeProgram(home().dir, 'leaving', language, {
      lua: 'print("bye")\nos.exit(7)\n',
      typescript: 'console.log("bye")\nprocess.exit(7)\n',
    })
    const session = editor()
    await session.start('launch', { program: program.path })
    expect(await session.ended()).toBe(7)
    expect(session.output('stdout')).toBe('bye\n')
    expect(session.events.filter(({ event }) => event === 'terminated')).toHaveLength(1)
    await session.close()
  })

  test('noDebug runs over breakpoints', async () => {
    const program = writeProgram(home().dir, 'free', language, {
      lua: 'local a = 1 -- @a\nprint(a)\n',
      typescript: 'const a = 1 // @a\nconsole.log(a)\n',
    })
    const session = editor()
    await session.start(
      'launch',
      { program: program.path, noDebug: true },
      { breakpoints: [{ program, at: [{ line: program.line('a') }] }] },
    )
    expect(await session.ended()).toBe(0)
    expect(session.output('stdout')).toBe('1\n')
    expect(session.events.some(({ event }) => event === 'stopped')).toBe(false)
  })

  test('terminate ends an endless script', async () => {
    const program = writeProgram(home().dir, 'endless', language, {
      lua: 'print("on")\nwhile true do end\n',
      typescript: 'console.log("on")\nfor (;;);\n',
    })
    const session = editor()
    await session.start('launch', { program: program.path })
    await session.printed('on')
    await session.ask('terminate', {})
    expect(await session.ended()).not.toBe(0)
    await session.close()
  })

  test('disconnect ends what was launched, also while it stands still', async () => {
    const program = writeProgram(home().dir, 'left', language, {
      lua: 'print("on") -- @on\nsleep(600)\n',
      typescript: 'console.log("on") // @on\nawait sleep(600)\n',
    })
    const session = editor()
    await session.start('launch', { program: program.path }, { breakpoints: [{ program, at: [{ line: program.line('on') }] }] })
    await session.stop()
    await session.close()
    const status = JSON.parse((await home().llmspell(['kernel', 'status', '--json'])).stdout) as { executions: { state: string }[] }
    expect(status.executions.filter(({ state }) => state === 'running')).toEqual([])
  })

  test('a script that does not exist, does not parse or has no language is refused with what to do', async () => {
    const broken = writeProgram(home().dir, 'broken', language, { lua: 'local = 3\n', typescript: 'const = 3\n' })
    const missing = editor()
    await expect(missing.start('launch', { program: join(home().dir, 'missing.lua') })).rejects.toThrow(/missing\.lua/)
    await missing.close()
    const session = editor()
    const outcome = await session.start('launch', { program: broken.path }).then(
      async () => `${await session.ended()} ${session.output()}`,
      (error: Error) => error.message,
    )
    expect(outcome).toMatch(lua ? /near|syntax|expected/i : /SyntaxError|Unexpected|unexpected/i)
    await session.close()
    const none = editor()
    await expect(none.start('launch', {})).rejects.toThrow(/program/)
    await none.close()
  })
})

test('a session works on a machine where no kernel runs yet', async () => {
  await home().llmspell(['kernel', 'stop'])
  const program = writeProgram(home().dir, 'cold', 'lua', { lua: 'local a = 1\nprint(a) -- @print\n', typescript: '' })
  const session = editor()
  await session.start('launch', { program: program.path }, { breakpoints: [{ program, at: [{ line: program.line('print') }] }] })
  expect((await session.stop()).line).toBe(program.line('print'))
  expect(await session.finish()).toBe(0)
})
