import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { delay } from '@llmspell/base'
import { describe, expect, it } from 'vitest'
import { KERNEL_TEST_MS, run, startKernel, until } from './support/kernel-under-test.ts'

describe('cells of one kernel', { timeout: KERNEL_TEST_MS }, () => {
  it('are Lua, JavaScript or TypeScript, by kernel, by request, by magic', async () => {
    const client = await startKernel({ args: ['--language', 'lua'] }).connect()
    expect(await run(client, 'return _VERSION')).toEqual({ status: 'ok', text: 'Lua 5.4' })
    expect(await run(client, '[1, 2].map((n) => n * 2)', { language: 'javascript' })).toEqual({ status: 'ok', text: '[ 2, 4 ]' })
    expect(await run(client, 'enum Colour { red = 3 }\nColour.red', { language: 'typescript' })).toEqual({ status: 'ok', text: '3' })
    expect(await run(client, '%%js\ntypeof process.version')).toEqual({ status: 'ok', text: "'string'" })
    expect(await run(client, '%%ts\nlet n: number = 5\nn')).toEqual({ status: 'ok', text: '5' })
    expect(await run(client, '%%lua\n#"four"')).toEqual({ status: 'ok', text: '4' })
    expect(await run(client, '%%python\n1')).toMatchObject({ status: 'error', evalue: expect.stringContaining('python') })
  })

  it('share State in any direction', async () => {
    const client = await startKernel().connect()
    await run(client, 'State.set("from lua", { list = { 1, 2.5, "x" }, yes = true })')
    const back = '%%js\nconst v = await State.get("from lua"); JSON.stringify([v.list, v.yes])'
    expect(await run(client, back)).toEqual({ status: 'ok', text: `'[[1,2.5,"x"],true]'` })
    await run(client, '%%ts\nawait State.set("from ts", { deep: [{ n: 7 }], text: "ü\\u{1f600}" })')
    expect(await run(client, 'local v = State.get("from ts")\nreturn v.deep[1].n, v.text')).toEqual({ status: 'ok', text: '7\tü\u{1f600}' })
    expect(await run(client, '%%js\nState.listSync()')).toEqual({ status: 'ok', text: "[ 'from lua', 'from ts' ]" })
  })

  it('tell what was wrong with a call in the words of the language, and can catch it', async () => {
    const client = await startKernel().connect()
    expect(await run(client, 'State.gett("k")')).toMatchObject({ status: 'error', ename: 'LuaError' })
    expect(await run(client, 'local ok, e = pcall(State.get, 1)\nreturn ok, tostring(e)')).toMatchObject({
      status: 'ok',
      text: expect.stringContaining("State.get: argument 1 'key' must be string"),
    })
    const caught = '%%js\ntry { await State.set("k", 1, { version: 9 }) } catch (error) { console.log(error.code) }'
    expect(await run(client, caught)).toEqual({ status: 'ok', text: 'state.version_conflict\n' })
  })

  it('answer others while one loops, and are interrupted with variables kept', async () => {
    const kernel = startKernel()
    const client = await kernel.connect()
    const other = await kernel.connect()
    await run(client, 'kept = 41')
    const looping = client.execute('while true do end')
    await until('the loop to run', async () => (await other.status()).execution_state === 'busy')
    await delay(100)
    expect((await other.kernelInfo()).status).toBe('ok')
    expect(await other.ping(5000)).toBeGreaterThan(0)
    expect((await other.complete('State.ge', 8)).matches).toContain('get')
    expect(await run(other, 'return 1', { namespace: 'fresh' })).toEqual({ status: 'ok', text: '1' })
    await other.interrupt()
    expect(await looping.done).toMatchObject({ status: 'error', ename: 'Interrupted' })
    expect(await run(client, 'kept + 1')).toEqual({ status: 'ok', text: '42' })
  })

  it('lose nothing in State when the engine is lost', async () => {
    const client = await startKernel({ args: ['--language', 'javascript'] }).connect()
    await run(client, 'await State.set("k", "kept"); let gone = 1')
    expect(await run(client, 'process.kill(process.pid, "SIGKILL"); await new Promise(() => {})')).toMatchObject({
      status: 'error',
      ename: 'EngineCrashed',
    })
    expect(await run(client, '[typeof gone, await State.get("k")]')).toEqual({ status: 'ok', text: "[ 'undefined', 'kept' ]" })
  })

  it('are remembered over restarts of the process', async () => {
    const first = startKernel()
    const before = await first.connect()
    await run(before, 'x = "remember me"')
    await before.shutdown({ stop: true })
    await first.ended()
    const after = await startKernel({ home: first.home }).connect()
    expect((await after.history({ access: 'tail', n: 5 })).map(({ source }) => source)).toEqual(['x = "remember me"'])
  })

  it('run under the memory limit of the configuration', async () => {
    const kernel = startKernel({ env: { LLMSPELL_KERNEL__MEMORY_LIMIT: '32MiB' } })
    const client = await kernel.connect()
    expect(await run(client, 'local t = {}\nfor i = 1, 1e9 do t[i] = ("x"):rep(1000) .. i end')).toMatchObject({ status: 'error' })
    expect(await run(client, 'return 1')).toEqual({ status: 'ok', text: '1' })
  })

  it('see the configuration of the directory the kernel was started in', async () => {
    const kernel = startKernel()
    writeFileSync(join(kernel.home, 'llmspell.toml'), 'kernel.language = "typescript"')
    expect((await kernel.started()).kernel_name).toMatch(/^llmspell-(lua|typescript)$/)
    const again = startKernel({ home: kernel.home, args: ['--id', 'again'] })
    expect((await again.started()).kernel_name).toBe('llmspell-typescript')
    const auto = startKernel({ home: kernel.home, args: ['--id', 'auto', '--started-by', 'auto'] })
    expect((await auto.started()).kernel_name).toBe('llmspell-lua')
  })
})
