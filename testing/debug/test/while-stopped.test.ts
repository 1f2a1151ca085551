import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { pythonPath, run as runProgram, toolPath, until } from '@llmspell/testkit'
import { describeWith } from '@llmspell/testkit/vitest'
import { describe, expect, test } from 'vitest'
import { background } from './background.ts'
import { type Editor, WAIT } from './editor.ts'
import { languages, type Program, type Texts, writeProgram } from './program.ts'
import { sessions } from './sessions.ts'

const shortly: Texts = {
  lua: 'print("before")\nlocal n = 41\nn = n + 1 -- @here\nprint("n " .. n)\n',
  typescript: 'console.log("before")\nlet n: number = 41\nn = n + 1 // @here\nconsole.log("n " + n)\n',
}

const { home, editor } = sessions()

interface Status {
  execution_state: string
  record: { pid: number; id: string }
  executions: { state: string }[]
}
const status = async (): Promise<Status> => JSON.parse((await home().llmspell(['kernel', 'status', '--json'])).stdout) as Status

describe.each(languages)('while a script in %s stands still', (language) => {
  /** A run of somebody else, stopped by a debugger that is attached. */
  const stopped = async (): Promise<{ session: Editor; program: Program; run: ReturnType<typeof background> }> => {
    const program = writeProgram(home().dir, 'shortly', language, shortly)
    const session = editor()
    await session.start('attach', {}, { breakpoints: [{ program, at: [{ line: program.line('here') }] }] })
    const run = background(home(), ['run', program.path])
    await session.stop()
    return { session, program, run }
  }

  test('what it printed before is there, and others run scripts and cells of every language', async () => {
    const { session, run } = await stopped()
    await run.prints('before')
    for (const other of languages) {
      const script = writeProgram(home().dir, 'other', other, { lua: 'print(6 * 7)\n', typescript: 'console.log(6 * 7)\n' })
      const ran = await home().llmspell(['run', script.path])
      expect([ran.code, ran.stdout], ran.stderr).toEqual([0, '42\n'])
      const cell = await home().llmspell(['exec', '--lang', other, '6 * 7'])
      expect([cell.code, cell.stdout.trim()], cell.stderr).toEqual([0, '42'])
    }
    expect((await status()).execution_state).toBe('stopped')
    expect(await session.evaluate('n')).toBe('41')
    await session.go('continue')
    expect(await run.ended()).toBe(0)
    expect(run.printed()).toBe('before\nn 42\n')
    await session.close()
  })

  test('Ctrl-C of its client ends it, and the breakpoint still stops the next run', async () => {
    const { session, program, run } = await stopped()
    run.child.kill('SIGINT')
    expect(await run.ended()).toBe(130)
    const again = background(home(), ['run', program.path])
    const stop = await session.stop()
    expect([stop.reason, stop.line]).toEqual(['breakpoint', program.line('here')])
    await session.go('continue')
    expect(await again.ended()).toBe(0)
    expect(again.printed()).toBe('before\nn 42\n')
    await session.close()
  })

  test('its client may be killed, and the debugger goes on', async () => {
    const { session, run } = await stopped()
    const gone = once(run.child, 'exit')
    run.child.kill('SIGKILL')
    await gone
    expect(await session.evaluate('n')).toBe('41')
    await session.go('continue')
    await until('the run is over', async () => (await status()).executions.every(({ state }) => state !== 'running'), WAIT)
    await session.close()
  })

  test('a debugger that is killed lets it go on', async () => {
    const { session, run } = await stopped()
    const { pid } = (await status()).record
    await session.kill()
    expect(await run.ended()).toBe(0)
    expect(run.printed()).toBe('before\nn 42\n')
    expect((await status()).record.pid).toBe(pid)
    const next = await stopped()
    await next.session.close()
    expect(await next.run.ended()).toBe(0)
  })
})

describeWith(['pyzmq', 'python'], 'sockets of a kernel that a debugger has stopped', () => {
  test.each(languages)('heartbeat, kernel_info and completion answer while %s stands still', async (language) => {
    const program = writeProgram(home().dir, 'shortly', language, shortly)
    const session = editor()
    await session.start('attach', {}, { breakpoints: [{ program, at: [{ line: program.line('here') }] }] })
    const run = background(home(), ['run', program.path])
    await session.stop()
    const asked = await runProgram(String(toolPath('python')), [fileURLToPath(new URL('../python/answers.py', import.meta.url))], {
      cwd: home().dir,
      env: { ...home().env, PYTHONPATH: pythonPath, KERNEL_ID: (await status()).record.id },
      timeout: WAIT,
    })
    expect([asked.code, asked.stdout.trim()], asked.stderr).toEqual([0, 'heartbeat kernel_info complete'])
    await session.go('continue')
    expect(await run.ended()).toBe(0)
    await session.close()
  })
})
