import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delay } from '@llmspell/base'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { engineUnderTest, REPLY_MS, type Setting, type UnderTest, until } from './engine-under-test.ts'

vi.setConfig({ testTimeout: 3 * REPLY_MS, hookTimeout: REPLY_MS })

const MIB = 1024 * 1024
const engines: UnderTest[] = []
afterEach(async () => {
  for (const one of engines.splice(0)) await one.engine.dispose()
})

async function start(setting?: Setting): Promise<UnderTest> {
  const js = engineUnderTest(setting)
  engines.push(js)
  await js.engine.start()
  return js
}

const isAlive = (pid: number | undefined): boolean => {
  try {
    process.kill(pid ?? 0, 0)
    return true
  } catch {
    return false
  }
}

/** After any end: a fresh engine, and no trace of the old one. */
async function expectFresh(js: UnderTest, before: number | undefined): Promise<void> {
  expect(await js.value('typeof kept')).toBe("'undefined'")
  expect(js.engine.status.pid).not.toBe(before)
  expect(isAlive(before)).toBe(false)
}

describe('process.exit', () => {
  it('ends the cell with its code, after its output and exit handlers', async () => {
    const js = await start()
    await js.run('let kept = 1')
    const { pid } = js.engine.status
    const code =
      'process.on("exit", (code) => console.log("leaving with", code)); for (let i = 0; i < 20_000; i++) console.log(i); process.exit(3)'
    const outcome = await js.run(code, { executionId: 'exit' })
    expect(outcome).toMatchObject({ status: 'error', exit: { code: 3 }, error: { ename: 'Exit', engineLost: true } })
    expect(js.text('stdout', 'exit')).toBe(`${Array.from({ length: 20_000 }, (_, index) => `${index}\n`).join('')}leaving with 3\n`)
    expect(js.text('stderr')).toBe('')
    await expectFresh(js, pid)
  })

  it('with 0 is no error, also in a callback after an await', async () => {
    const js = await start()
    expect(await js.run('process.exit()')).toEqual({ status: 'ok', exit: { code: 0 } })
    expect(await js.run('setTimeout(() => process.exit(0), 5); await new Promise(() => {})')).toEqual({ status: 'ok', exit: { code: 0 } })
    expect(await js.value('1 + 1')).toBe('2')
  })
})

describe('SIGUSR1', () => {
  it('opens no debugger port, which would need no token', async () => {
    const js = await start()
    await js.run('let kept = 1')
    process.kill(js.engine.status.pid ?? 0, 'SIGUSR1')
    expect(await js.value('await sleep(0.1); kept')).toBe('1')
    expect(await js.value("process.getBuiltinModule('inspector').url()")).toBeUndefined()
    expect(js.text('stderr')).toBe('')
  })
})

describe('a crash', () => {
  for (const [signal, code] of Object.entries({
    SIGABRT: 'process.abort()',
    SIGKILL: 'process.kill(process.pid, "SIGKILL"); while (true);',
    SIGSEGV: 'process.kill(process.pid, "SIGSEGV"); while (true);',
  })) {
    it(`by ${signal} is an error that names it; its output is there; the next cell works`, async () => {
      const js = await start()
      await js.run('let kept = 1')
      const { pid } = js.engine.status
      const outcome = await js.run(`console.log('before'); await sleep(0.1); ${code}`)
      expect(outcome).toMatchObject({
        status: 'error',
        error: { ename: 'EngineCrashed', evalue: expect.stringContaining(signal), engineLost: true },
      })
      expect(js.text()).toBe('before\n')
      await expectFresh(js, pid)
    })
  }

  it('while nothing runs is noticed, and the next cell works', async () => {
    const js = await start()
    const { pid } = js.engine.status
    process.kill(pid as number, 'SIGKILL')
    await until(() => !isAlive(pid), 'the process to end')
    expect(await js.value('1 + 1')).toBe('2')
  })
})

describe('memory', () => {
  const limited = { memoryLimit: 128 * MIB }
  for (const [name, code] of Object.entries({
    'many small objects': 'const all = []; while (true) all.push({ index: all.length, text: "x".repeat(all.length % 100) })',
    'one huge allocation': 'Array.from({ length: 1e8 }, (_, index) => index)',
    'a growing Map': 'const map = new Map(); for (let i = 0; ; i++) map.set(i, {})',
    buffers: 'const all = []; while (true) all.push(Buffer.alloc(20e6, 1))',
  })) {
    it(`used up by ${name} ends the cell as OutOfMemory, and the next one works`, async () => {
      const js = await start(limited)
      const { pid } = js.engine.status
      const outcome = await js.run(`console.log('before'); ${code}`)
      expect(outcome).toMatchObject({
        status: 'error',
        error: { ename: 'OutOfMemory', evalue: expect.stringContaining('128 MiB'), engineLost: true },
      })
      expect(js.text('stderr')).toBe('')
      expect(js.text('stdout')).toBe('before\n')
      await expectFresh(js, pid)
    })
  }
})

describe('the engine process', () => {
  it('survives SIGINT, idle and busy', async () => {
    const js = await start()
    const { pid } = js.engine.status
    const running = js.run('console.log("go"); for (const end = Date.now() + 300; Date.now() < end; );')
    await until(() => js.text().includes('go'), 'the loop')
    process.kill(pid as number, 'SIGINT')
    expect((await running).status).toBe('ok')
    process.kill(pid as number, 'SIGINT')
    await delay(50)
    expect(await js.value('process.pid')).toBe(String(pid))
  })

  it('is replaced when the code cannot be stopped', async () => {
    const js = await start()
    await js.run('let kept = 1')
    const { pid } = js.engine.status
    // Native code that hears nothing.
    const running = js.run('const { pbkdf2Sync } = require("node:crypto"); console.log("go"); pbkdf2Sync("x", "y", 2e9, 64, "sha512")')
    await until(() => js.text().includes('go'), 'the native call')
    await delay(200)
    await js.engine.interrupt()
    expect(await running).toMatchObject({ status: 'interrupted', error: { ename: 'Interrupted', engineLost: true } })
    await expectFresh(js, pid)
  })

  it('ends with its children when the engine is disposed, also when busy', async () => {
    const js = await start()
    const child = Number(await js.value('require("node:child_process").spawn("sleep", ["1000"]).pid'))
    const { pid } = js.engine.status
    const running = js.run('while (true);')
    await delay(50)
    await js.engine.dispose()
    expect((await running).status).not.toBe('ok')
    await until(() => !isAlive(pid) && !isAlive(child), 'the processes to end')
  })

  it('ends when its kernel dies, in the middle of a loop', async () => {
    const script = `
      import { javascriptEngineFactory } from '@llmspell/script/javascript'
      const host = { call() {}, input() {}, output(o) { console.log(engine.status.pid) }, comm() {}, log() {} }
      const engine = javascriptEngineFactory().create(host, { cwd: process.cwd(), env: {} })
      await engine.start()
      engine.execute({ executionId: 'e', code: 'console.log("go"); while (true);', language: 'javascript', source: 'cell', wantResult: true })`
    const kernel = spawn(process.execPath, ['--input-type=module', '-e', script], {
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let told = ''
    kernel.stdout.on('data', (chunk: Buffer) => {
      told += chunk.toString()
    })
    await until(() => told.includes('\n'), 'the pid of the engine process')
    const pid = Number(told)
    expect(isAlive(pid)).toBe(true)
    kernel.kill('SIGKILL')
    await until(() => !isAlive(pid), 'the engine process to end')
  })

  it('that cannot start is an error on the cell', async () => {
    const js = engineUnderTest({ cwd: '/nowhere/at/all' })
    engines.push(js)
    await expect(js.engine.start()).rejects.toThrow(/did not start/)
    expect(await js.run('1')).toMatchObject({
      status: 'error',
      error: { ename: 'EngineCrashed', evalue: expect.stringContaining('did not start') },
    })
    expect(existsSync('/nowhere')).toBe(false)
  })
})

describe('a script that reaches for the pipes of its engine', () => {
  const frame = (json: string, kind: number): string =>
    `{ const b = Buffer.from(${JSON.stringify(json)}), h = Buffer.alloc(5); h.writeUInt32LE(b.length); h[4] = ${kind}; fs.writeSync(4, Buffer.concat([h, b])) }`
  it.each([
    ['text where frames belong', 'fs.writeSync(4, "Hello World\\n")', /no frame/],
    ['a frame that is not JSON', frame('{{', 1), /JSON/],
    ['null', frame('null', 1), /null/],
    ['output without its number', frame('x', 4), /outside buffer bounds|out of range/],
    ['a message without its parts', frame('{"t":"comm","n":1}', 1), /makes no sense/],
    ['the control pipe written to', 'fs.writeSync(3, Buffer.alloc(64, 255))', /no frame/],
    ['the control pipe closed', 'fs.closeSync(3)', /was closed/],
    ['its own pipe closed', 'fs.closeSync(4)', /was closed/],
  ])('%s: the cell ends with the reason, and the next has a fresh engine', async (_, act, reason) => {
    const js = await start()
    await js.run('let kept = 1')
    const { pid } = js.engine.status
    const outcome = await js.run(`const fs = require('node:fs'); ${act}; await new Promise(() => {})`)
    expect(outcome).toMatchObject({
      status: 'error',
      error: { ename: 'EngineCrashed', evalue: expect.stringMatching(reason), engineLost: true },
    })
    await expectFresh(js, pid)
  })
})
