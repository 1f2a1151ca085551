import { LlmspellError, type Logger, withTimeout } from '@llmspell/base'
import { createMemoryTransport } from '@llmspell/jupyter'
import { echoEngineFactory } from '@llmspell/script/echo'
import { expect, test } from 'vitest'
import { createKernel, MemoryHistoryStore } from '../src/index.ts'
import { manualClock } from './support/manual-clock.ts'
import { ANSWER, RECORD, testKernel } from './support/test-kernel.ts'

test('announces itself, stops once, tells everybody', async () => {
  const reasons: string[] = []
  const { kernel, connect } = await testKernel({ onStop: (reason) => reasons.push(reason) })
  const client = await connect()
  await Promise.all([kernel.stop('signal'), kernel.stop('again')])
  expect(await kernel.closed).toBe('signal')
  expect(reasons).toEqual(['signal'])
  expect(client.messages.at(-1)).toMatchObject({ header: { msg_type: 'shutdown_reply' }, content: { status: 'ok', restart: false } })
})

test('host calls carry the session of the client that asked', async () => {
  const test = await testKernel()
  const client = await test.connect()
  const reply = await client.execute('call State.set ["a",1]')
  expect(test.calls).toEqual([{ name: 'State.set', args: ['a', 1], session: client.session.id, executionId: reply.parent_header.msg_id }])
  expect(client.published(reply.parent_header.msg_id as string)).toContain('stdout "[\\"a\\",1]\\n"')
})

test('a failed host call is the error of the script', async () => {
  const client = await (
    await testKernel({ call: () => Promise.reject(new LlmspellError('no such key', { code: 'state.not_found' })) })
  ).connect()
  expect((await client.execute('call State.get ["a"]')).content).toMatchObject({
    status: 'error',
    ename: 'state.not_found',
    evalue: 'no such key',
  })
})

test('the default engine starts with the kernel, others at first use', async () => {
  const { kernel, connect } = await testKernel()
  const client = await connect()
  const languages = () => kernel.status().engines.flatMap((engine) => engine.languages)
  expect(languages()).toEqual(['lua'])
  await client.execute('%%js\nprint a')
  expect(languages()).toEqual(['lua', 'javascript', 'typescript'])
})

test('an engine that does not start fails the cell, and is tried again', async () => {
  const echo = echoEngineFactory(['lua'])
  let failures = 2
  const client = await (
    await testKernel({
      engines: [
        {
          ...echo,
          create(host, options) {
            const engine = echo.create(host, options)
            const start = engine.start.bind(engine)
            engine.start = () => (failures-- > 0 ? Promise.reject(new Error('no worker')) : start())
            return engine
          },
        },
      ],
    })
  ).connect()
  expect((await client.execute('print a')).content).toMatchObject({ status: 'error', evalue: 'no worker' })
  expect((await client.execute('print a')).content['status']).toBe('ok')
})

test('a language nobody runs is refused', async () => {
  const client = await (await testKernel({ engines: [echoEngineFactory(['lua'])] })).connect()
  for (const type of ['execute_request', 'complete_request', 'is_complete_request', 'inspect_request', 'variables_request'])
    expect(
      (await client.request('shell', type, { code: 'x', cursor_pos: 0 }, { llmspell: { language: 'typescript' } })).content,
    ).toMatchObject({
      status: 'error',
      ename: 'NotSupported',
      evalue: expect.stringContaining('typescript'),
    })
})

test('features answer further types and are disposed; double answers are refused', async () => {
  let disposed = 0
  const feature = {
    name: 'tools',
    handlers: { shell: { tool_request: (content: Record<string, unknown>) => ({ echo: content['name'] }) } },
    supportedFeatures: ['llmspell tools'],
    dispose() {
      disposed++
    },
  }
  const { kernel, connect } = await testKernel({ features: [feature] })
  const client = await connect()
  const reply = await client.request('shell', 'tool_request', { name: 'calc' })
  expect(reply.header.msg_type).toBe('tool_reply')
  expect(reply.content).toEqual({ status: 'ok', echo: 'calc' })
  expect((await client.request('shell', 'kernel_info_request')).content['supported_features']).toEqual(['debugger', 'llmspell tools'])
  await kernel.stop('end')
  expect(disposed).toBe(1)
  const [transport] = createMemoryTransport()
  const options = {
    transport,
    engines: [echoEngineFactory()],
    defaultLanguage: 'lua',
    call: async () => {},
    history: new MemoryHistoryStore(),
    record: RECORD,
    owned: false,
    cwd: '/',
    env: {},
  } as const
  expect(() => createKernel({ ...options, features: [feature, feature] })).toThrow('tool_request is answered already')
  expect(() => createKernel({ ...options, features: [{ name: 'x', handlers: { shell: { execute_request: () => ({}) } } }] })).toThrow(
    'execute_request',
  )
})

test('kernel_status: record, executions, engines, counters', async () => {
  const client = await (await testKernel()).connect()
  await client.execute('error boom')
  const running = client.sendExecute('spin', {}, { llmspell: { source: '/tmp/a.lua' } })
  const queued = client.sendExecute('print a')
  await client.next('execute_input', running)
  const { content } = await client.request('control', 'kernel_status_request')
  expect(content).toMatchObject({
    status: 'ok',
    record: RECORD,
    execution_state: 'busy',
    executions: [
      { msg_id: running, session: client.session.id, source: '/tmp/a.lua', language: 'lua', state: 'running' },
      { msg_id: queued, state: 'queued' },
    ],
    engines: [{ languages: ['lua'], namespace: 'shared', state: 'busy' }],
    idle_for: 0,
    counters: { executions: 1, errors: 1 },
  })
  expect(content['rss_bytes']).toBeGreaterThan(1e6)
})

test('variables: of the language asked for, without starting an engine', async () => {
  const { kernel, connect } = await testKernel()
  const client = await connect()
  await client.execute('set x 7')
  expect((await client.request('control', 'variables_request')).content).toEqual({
    status: 'ok',
    variables: [{ name: 'x', type: 'string', preview: '7', language: 'lua' }],
  })
  const other = await client.request('shell', 'variables_request', {}, { llmspell: { language: 'js' } })
  expect(other.content).toEqual({ status: 'ok', variables: [] })
  expect(kernel.status().engines).toHaveLength(1)
})

test('connect_request: the ports, where there are any', async () => {
  const ports = { shell_port: 1, iopub_port: 2, stdin_port: 3, hb_port: 4, control_port: 5 }
  const client = await (await testKernel({ ports })).connect()
  expect((await client.request('shell', 'connect_request')).content).toEqual({ status: 'ok', ...ports })
})

test('idle time-out: polling does not hold it off, work does, running work always', async () => {
  const clock = manualClock()
  const { kernel, connect } = await testKernel({ idleTimeout: 1000, clock })
  const client = await connect()
  clock.advance(900)
  await client.execute('print a')
  clock.advance(900)
  await client.request('shell', 'kernel_info_request')
  await client.request('control', 'kernel_status_request')
  expect(kernel.status().idle_for).toBe(900)
  const endless = client.sendExecute('spin')
  await client.next('execute_input', endless)
  clock.advance(10_000)
  expect((await client.request('control', 'kernel_info_request')).content['status']).toBe('ok')
  client.send('control', 'interrupt_request')
  await client.next('status', endless)
  await new Promise((resolve) => setTimeout(resolve, 20))
  clock.advance(5)
  await client.done(endless)
  clock.advance(900)
  expect((await client.request('control', 'kernel_info_request')).content['status']).toBe('ok')
  clock.advance(1100)
  expect(await withTimeout(kernel.closed, ANSWER, 'the idle time-out')).toBe('idle_timeout')
})

test('idle time-out counts from the end of work, not from its beginning', async () => {
  const clock = manualClock()
  const { kernel, connect } = await testKernel({ idleTimeout: 1000, clock })
  const client = await connect()
  const endless = client.sendExecute('spin', { stop_on_error: false })
  await client.next('execute_input', endless)
  clock.advance(990)
  await client.request('control', 'interrupt_request')
  await client.done(endless)
  clock.advance(900)
  expect((await client.request('control', 'kernel_info_request')).content['status']).toBe('ok')
  clock.advance(200)
  expect(await withTimeout(kernel.closed, ANSWER, 'the idle time-out')).toBe('idle_timeout')
})

test('a reply that JSON cannot hold is an error, and ends nothing', async () => {
  const client = await (
    await testKernel({ features: [{ name: 'big', handlers: { control: { big_request: () => ({ value: 1n }) } } }] })
  ).connect()
  expect((await client.request('control', 'big_request')).content).toMatchObject({ status: 'error', ename: 'wire.unencodable' })
  expect((await client.request('control', 'kernel_info_request')).content['status']).toBe('ok')
})

test('traces messages and host calls when asked, but not what people type', async () => {
  const lines: string[] = []
  const written: string[] = []
  const logger: Logger = {
    log(_level, message, fields) {
      lines.push(message)
      written.push(JSON.stringify(fields))
    },
    child: () => logger,
  }
  const client = await (await testKernel({ logger, trace: 'jupyter,engine' })).connect()
  await client.execute('call State.get []')
  for (const line of [
    'in shell execute_request',
    'engine execute',
    'engine call State.get',
    'engine outcome',
    'out iopub status',
    'out shell execute_reply',
  ])
    expect(lines).toContain(line)
  const asking = client.sendExecute('password secret?')
  const prompt = await client.next('input_request', asking)
  client.send('stdin', 'input_reply', { value: 'hunter2' }, {}, prompt)
  await client.done(asking)
  expect(lines).toContain('in stdin input_reply')
  expect(written.join()).not.toContain('hunter2')
})
