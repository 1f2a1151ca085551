import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createHome, type Home, llmspellBin, until } from '@llmspell/testkit'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const WAIT = 60_000

/** Prints a number only after its write was acknowledged. */
const writers = {
  lua: 'local i = 0\nwhile true do\n  i = i + 1\n  State.set("n" .. i, { number = i })\n  print(i)\nend',
  ts: 'for (let i = 1; ; i++) {\n  await State.set(`n${i}`, { number: i })\n  console.log(String(i))\n}',
}
const readers = {
  lua: 'local last = tonumber(Args[1])\nfor i = 1, last do\n  local value = State.get("n" .. i)\n  assert(value and value.number == i, "lost " .. i)\nend\nprint("all " .. last)',
  ts: 'const last = Number(Args[0])\nfor (let i = 1; i <= last; i++) {\n  const value = await State.get(`n${i}`)\n  if (value?.number !== i) throw new Error(`lost ${i}`)\n}\nconsole.log(`all ${last}`)',
}

let home: Home
beforeEach(() => {
  home = createHome()
})
afterEach(() => home.dispose())

describe('kill -9 of the kernel while a script writes State', () => {
  test.each(['lua', 'ts'] as const)(
    'every acknowledged write of a .%s script is there afterwards',
    { timeout: 5 * 60_000 },
    async (ending) => {
      const writer = join(home.dir, `writer.${ending}`)
      const reader = join(home.dir, `reader.${ending}`)
      writeFileSync(writer, writers[ending])
      writeFileSync(reader, readers[ending])
      let pid = 0
      for (let round = 0; round < 3; round++) {
        const child = spawn(process.execPath, [llmspellBin(), 'run', writer], {
          cwd: home.dir,
          env: home.env,
          stdio: ['ignore', 'pipe', 'pipe'],
        })
        let out = ''
        let err = ''
        child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
        child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
        const exited = once(child, 'exit')
        await until('some hundred writes', () => out.length > 1500 * (round + 1) || child.exitCode !== null, WAIT)
        const status = JSON.parse((await home.llmspell(['kernel', 'status', '--json'])).stdout) as { record: { pid: number } }
        expect(status.record.pid).not.toBe(pid)
        pid = status.record.pid
        process.kill(pid, 'SIGKILL')
        const [code] = (await exited) as [number | null]
        expect(code, `the client tells that the kernel died: ${err}`).toBe(4)
        expect(err).not.toBe('')
        // the last line may be cut: it was not seen whole, so it was not acknowledged to anybody
        const last = Number(out.slice(0, out.lastIndexOf('\n')).split('\n').at(-1))
        expect(last).toBeGreaterThan(100)

        const again = await home.llmspell(['run', reader, '--', String(last)], { timeout: WAIT })
        expect([again.code, again.stdout], again.stderr).toEqual([0, `all ${last}\n`])
        expect(again.stderr, 'it says that it started a new kernel').toMatch(/start/i)
      }
      expect(home.processes().filter(({ command }) => /kernel\/dist\/main\.js/.test(command))).toHaveLength(1)
    },
  )

  test('a script process that outlives its kernel ends by itself', { timeout: 2 * 60_000 }, async () => {
    expect((await home.llmspell(['exec', '--lang', 'js', '1 + 1'])).code).toBe(0)
    const { pid } = (JSON.parse((await home.llmspell(['kernel', 'status', '--json'])).stdout) as { record: { pid: number } }).record
    process.kill(pid, 'SIGKILL')
    await until('nothing of the killed kernel runs', () => home.processes().length === 0, WAIT)
  })
})
