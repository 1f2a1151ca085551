import type { Language } from '@llmspell/script'
import { javascriptEngineFactory } from '@llmspell/script/javascript'
import { luaEngineFactory } from '@llmspell/script/lua'
import { describe, expect, test } from 'vitest'
import { type TestKernel, testKernel } from './support/test-kernel.ts'

/** The scripts of one meaning in each language. */
const SAMPLES: Record<
  'lua' | 'javascript',
  Record<'loop' | 'set' | 'get' | 'lines' | 'big' | 'input' | 'wait' | 'html' | 'fail', string>
> = {
  lua: {
    loop: 'while true do end',
    set: 'kept = 41',
    get: 'kept + 1',
    lines: 'for i = 1, 200000 do print(i) end',
    big: 'io.write(string.rep("x", 50 * 1024 * 1024))',
    input: 'local name = input("name? ")\nprint("got " .. name)',
    wait: 'sleep(60)',
    html: 'display({ ["text/html"] = "<b>b</b>", ["text/plain"] = "b" })',
    fail: 'print("before")\nerror("on purpose")',
  },
  javascript: {
    loop: 'for (;;);',
    set: 'let kept = 41',
    get: 'kept + 1',
    lines: 'for (let i = 1; i <= 200000; i++) console.log(i)',
    big: 'process.stdout.write("x".repeat(50 * 1024 * 1024))',
    input: 'const name = await input("name? ")\nconsole.log("got " + name)',
    wait: 'await new Promise(() => setTimeout(() => {}, 60000))',
    html: 'display({ "text/html": "<b>b</b>", "text/plain": "b" })',
    fail: 'console.log("before")\nthrow new TypeError("on purpose")',
  },
}

/** Milliseconds for what moves megabytes on a loaded machine. */
const LONG = 180_000

function realKernel(defaultLanguage: Language): Promise<TestKernel> {
  return testKernel({
    defaultLanguage,
    engines: [luaEngineFactory({ catalogue: [] }), javascriptEngineFactory()],
    cwd: process.cwd(),
    env: { PATH: process.env['PATH'] ?? '' },
  })
}

describe.each(['lua', 'javascript'] as const)('%s', (language) => {
  const samples = SAMPLES[language]

  test('a loop blocks nobody; an interrupt ends it and keeps the variables; what was queued behind is aborted', async () => {
    const kernel = await realKernel(language)
    const [client, other] = [await kernel.connect(), await kernel.connect()]
    await client.execute(samples.set)
    const loop = client.sendExecute(samples.loop)
    await client.next('execute_input', loop)
    const queued = client.sendExecute(samples.get)
    const completion = await other.request('shell', 'complete_request', { code: 'kep', cursor_pos: 3 })
    expect(completion.content['matches']).toContain('kept')
    expect((await other.request('shell', 'is_complete_request', { code: '1' })).content['status']).toBe('complete')
    expect((await other.request('control', 'kernel_status_request')).content['execution_state']).toBe('busy')
    const fresh = await other.execute('1 + 1', {}, { llmspell: { namespace: 'fresh' } })
    expect(other.published(fresh.parent_header.msg_id as string)).toContain('result [3] {"text/plain":"2"}')
    const interrupts = [client.send('control', 'interrupt_request'), client.send('control', 'interrupt_request')]
    for (const id of interrupts) expect((await client.done(id)).content['status']).toBe('ok')
    expect((await client.done(loop)).content).toMatchObject({ status: 'error', ename: 'Interrupted' })
    expect((await client.done(queued)).content['status']).toBe('aborted')
    const after = await client.execute(samples.get)
    expect(client.published(after.parent_header.msg_id as string)).toContain('result [4] {"text/plain":"42"}')
  })

  test('waits for time and input are interrupted; input is answered', async () => {
    const client = await (await realKernel(language)).connect()
    for (const [code, sign] of [
      [samples.wait, 'execute_input'],
      [samples.input, 'input_request'],
    ] as const) {
      const id = client.sendExecute(code)
      await client.next(sign, id)
      await client.request('control', 'interrupt_request')
      expect((await client.done(id)).content['ename']).toBe('Interrupted')
    }
    const asking = client.sendExecute(samples.input)
    const prompt = await client.next('input_request', asking)
    expect(prompt.content).toEqual({ prompt: 'name? ', password: false })
    client.send('stdin', 'input_reply', { value: 'Ada' }, {}, prompt)
    expect((await client.done(asking)).content['status']).toBe('ok')
    expect(client.published(asking)).toContain('stdout "got Ada\\n"')
  })

  test(
    '200,000 lines and 50 MB arrive whole and in order, idle last',
    async () => {
      const client = await (await realKernel(language)).connect()
      const text = (id: string): string =>
        client.messages
          .filter(({ header, parent_header }) => header.msg_type === 'stream' && parent_header.msg_id === id)
          .map(({ content }) => content['text'])
          .join('')
      const lines = client.sendExecute(samples.lines)
      await client.idle(lines)
      expect(text(lines) === Array.from({ length: 200_000 }, (_, n) => `${n + 1}\n`).join('')).toBe(true)
      expect(client.published(lines).at(-1)).toBe('idle')
      const big = client.sendExecute(samples.big)
      await client.idle(big)
      expect(text(big) === 'x'.repeat(50 * 1024 * 1024)).toBe(true)
    },
    LONG,
  )

  test('errors, displays and restarts', async () => {
    const client = await (await realKernel(language)).connect()
    const failed = await client.execute(samples.fail)
    expect(failed.content).toMatchObject({ status: 'error', evalue: expect.stringContaining('on purpose') })
    expect(client.published(failed.parent_header.msg_id as string)[2]).toBe('stdout "before\\n"')
    const shown = await client.execute(samples.html)
    expect(client.published(shown.parent_header.msg_id as string)[2]).toContain('<b>b</b>')
    await client.execute(samples.set)
    const loop = client.sendExecute(samples.loop)
    await client.next('execute_input', loop)
    expect((await client.request('control', 'shutdown_request', { restart: true })).content['status']).toBe('ok')
    expect((await client.done(loop)).content['ename']).toBe('KernelRestarted')
    expect((await client.execute(samples.get)).content['status']).toBe('error')
  })
})

test('output of a timer belongs to its cell; a fresh run waits for its timers', async () => {
  const client = await (await realKernel('javascript')).connect()
  const cell = await client.execute('setTimeout(() => console.log("late"), 100)')
  const id = cell.parent_header.msg_id as string
  await client.execute('await new Promise((done) => setTimeout(done, 300)); console.log("second")')
  expect(client.published(id)).toEqual(['busy', expect.stringContaining('input'), expect.anything(), 'idle', 'stdout "late\\n"'])
  const run = await client.execute('setTimeout(() => console.log("x"), 100)', {}, { llmspell: { namespace: 'fresh', source: '/tmp/x.js' } })
  expect(client.published(run.parent_header.msg_id as string).slice(-2)).toEqual(['stdout "x\\n"', 'idle'])
})

test('one kernel, three languages', async () => {
  const client = await (await realKernel('lua')).connect()
  const result = async (code: string): Promise<string | undefined> => {
    const reply = await client.execute(code)
    expect(reply.content).toMatchObject({ status: 'ok' })
    return client.published(reply.parent_header.msg_id as string).find((line) => line.startsWith('result'))
  }
  expect(await result('x = "lua"\n#x')).toContain('3')
  expect(await result('%%js\nvar x = "js"; x')).toContain('js')
  expect(await result('%%ts\nconst y: string = x + "!"; y')).toContain('js!')
  expect(await result('x')).toContain('lua')
})
