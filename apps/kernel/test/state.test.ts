import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { KERNEL_TEST_MS, run, startKernel } from './support/kernel-under-test.ts'

const ROUNDS = 3

describe('State of a kernel process', { timeout: KERNEL_TEST_MS }, () => {
  it('holds every acknowledged write after kill -9 in the middle of writing', async () => {
    let kernel = startKernel({ args: ['--language', 'javascript'] })
    for (let round = 0; round < ROUNDS; round++) {
      const client = await kernel.connect()
      let acknowledged = 0
      const writing = client.execute('for (let n = 1; ; n++) { await State.set("n", n); console.log(n) }', {
        onOutput(output) {
          if (output.type !== 'stream') return
          acknowledged = Math.max(acknowledged, ...output.text.trim().split('\n').map(Number))
          if (acknowledged > 100 + 50 * round) kernel.process.kill('SIGKILL')
        },
      })
      await expect(writing.done).rejects.toMatchObject({ code: 'kernel.died' })
      await kernel.ended()
      kernel = startKernel({ home: kernel.home, args: ['--language', 'javascript'] })
      const { text } = await run(await kernel.connect(), 'await State.get("n")')
      expect(Number(text)).toBeGreaterThanOrEqual(acknowledged)
    }
    kernel.process.kill('SIGTERM')
    await kernel.ended()
    const sqlite = new Database(join(kernel.home, 'state', 'state.db'))
    expect(sqlite.pragma('integrity_check', { simple: true })).toBe('ok')
    sqlite.close()
  })

  it('is one for all kernels of a user', async () => {
    const one = startKernel({ args: ['--id', 'one', '--language', 'javascript'] })
    const two = startKernel({ home: one.home, args: ['--id', 'two', '--language', 'javascript'] })
    const count =
      'for (let i = 0; i < 100; ) { const e = await State.entry("n"); try { await State.set("n", (e?.value ?? 0) + 1, { version: e?.version ?? 0 }); i++ } catch (error) { if (error.code !== "state.version_conflict") throw error } }'
    const results = await Promise.all([run(await one.connect(), count), run(await two.connect(), count)])
    expect(results.map(({ status }) => status)).toEqual(['ok', 'ok'])
    expect(await run(await two.connect(), 'await State.get("n")')).toEqual({ status: 'ok', text: '200' })
  })

  it('tells a script which store is damaged and what to do, and works once it is out of the way', async () => {
    const kernel = startKernel({ args: ['--language', 'javascript'] })
    const file = join(kernel.home, 'state', 'state.db')
    mkdirSync(join(kernel.home, 'state'), { recursive: true })
    writeFileSync(file, 'garbage '.repeat(1000))
    const client = await kernel.connect()
    expect(await run(client, 'await State.get("k")')).toMatchObject({
      status: 'error',
      evalue: expect.stringContaining(`${file} is damaged`),
    })
    writeFileSync(file, '')
    expect(await run(client, 'await State.set("k", 1); await State.get("k")')).toEqual({ status: 'ok', text: '1' })
  })

  it('ends with the kernel when the configuration says memory', async () => {
    const env = { LLMSPELL_STATE__DRIVER: 'memory' }
    const first = startKernel({ env, args: ['--language', 'javascript'] })
    expect(await run(await first.connect(), 'await State.set("k", 1); await State.get("k")')).toEqual({ status: 'ok', text: '1' })
    first.process.kill('SIGTERM')
    await first.ended()
    const second = startKernel({ env, home: first.home, args: ['--language', 'javascript'] })
    expect(await run(await second.connect(), 'await State.has("k")')).toEqual({ status: 'ok', text: 'false' })
  })
})
