import { expect, test } from 'vitest'
import { testKernel } from '../support/test-kernel.ts'

test('a cell: busy, input, output, result, one reply, idle', async () => {
  const client = await (await testKernel()).connect()
  const reply = await client.execute('print hello\n42')
  const id = reply.parent_header.msg_id as string
  expect(client.published(id)).toEqual(['busy', 'input [1] print hello\n42', 'stdout "hello\\n"', 'result [1] {"text/plain":"42"}', 'idle'])
  expect(client.replies(id)).toHaveLength(1)
  expect(reply.content).toEqual({ status: 'ok', execution_count: 1, payload: [], user_expressions: {} })
})

test('an error: published before the reply, which says the same', async () => {
  const client = await (await testKernel()).connect()
  const reply = await client.execute('print before\nerror boom')
  const id = reply.parent_header.msg_id as string
  expect(client.published(id)).toEqual([
    'busy',
    'input [1] print before\nerror boom',
    'stdout "before\\n"',
    'error EchoError: boom',
    'idle',
  ])
  expect(reply.content).toMatchObject({ status: 'error', ename: 'EchoError', evalue: 'boom', execution_count: 1 })
  expect(reply.content['llmspell']).toEqual({ position: { source: 'cell [1]', line: 2 } })
})

test('silent: nothing but status on IOPub, no count; the reply tells all', async () => {
  const { connect } = await testKernel()
  const client = await connect()
  const ok = await client.execute('print hello\n42', { silent: true })
  expect(client.published(ok.parent_header.msg_id as string)).toEqual(['busy', 'idle'])
  expect(ok.content).toMatchObject({ status: 'ok', execution_count: 0 })
  const failed = await client.execute('error boom', { silent: true })
  expect(client.published(failed.parent_header.msg_id as string)).toEqual(['busy', 'idle'])
  expect(failed.content).toMatchObject({ status: 'error', evalue: 'boom' })
  expect((await client.execute('1')).content['execution_count']).toBe(1)
})

test('store_history false keeps the count; blank cells do not count either', async () => {
  const client = await (await testKernel()).connect()
  expect((await client.execute('1')).content['execution_count']).toBe(1)
  expect((await client.execute('2', { store_history: false })).content['execution_count']).toBe(1)
  expect((await client.execute(' \n\t')).content).toMatchObject({ status: 'ok', execution_count: 1 })
  expect((await client.execute('3')).content['execution_count']).toBe(2)
})

test('user_expressions are evaluated after the cell, each with its own outcome', async () => {
  const client = await (await testKernel()).connect()
  const reply = await client.execute('set x 7', { user_expressions: { good: 'get x', bad: 'get nothing' } })
  expect(reply.content['user_expressions']).toEqual({
    good: { status: 'ok', data: { 'text/plain': '7' }, metadata: {} },
    bad: expect.objectContaining({ status: 'error', ename: 'EchoError', evalue: "no variable 'nothing'" }),
  })
  const alone = await client.execute('', { silent: true, user_expressions: { x: 'get x' } })
  expect(alone.content['user_expressions']).toMatchObject({ x: { status: 'ok', data: { 'text/plain': '7' } } })
})

test('user_expressions may have any name', async () => {
  const client = await (await testKernel()).connect()
  const reply = await client.execute('set x 7', { user_expressions: JSON.parse('{"__proto__":"get x","constructor":"get x"}') })
  expect(Object.keys(reply.content['user_expressions'] as object)).toEqual(['__proto__', 'constructor'])
})

test('stop_on_error aborts what the same client had queued, each with its own answer, and nothing else', async () => {
  const test = await testKernel()
  const [one, other] = [await test.connect(), await test.connect()]
  const first = one.sendExecute('sleep 30\nprint first')
  const failing = one.sendExecute('error boom')
  const behind = [one.sendExecute('print second'), one.sendExecute('print third')]
  const foreign = other.sendExecute('print other')
  expect((await one.done(first)).content['status']).toBe('ok')
  expect((await one.done(failing)).content['status']).toBe('error')
  for (const id of behind) {
    expect((await one.done(id)).content).toMatchObject({ status: 'aborted' })
    expect(one.published(id)).toEqual(['busy', 'idle'])
    expect(one.replies(id)).toHaveLength(1)
  }
  expect((await other.done(foreign)).content['status']).toBe('ok')
  expect((await one.execute('print after')).content['status']).toBe('ok')
})

test('stop_on_error false lets the queue go on', async () => {
  const client = await (await testKernel()).connect()
  const failing = client.sendExecute('error boom', { stop_on_error: false })
  const next = client.sendExecute('print next')
  expect((await client.done(failing)).content['status']).toBe('error')
  expect((await client.done(next)).content['status']).toBe('ok')
})

test('what was on its way when a cell failed is aborted; what answers the failure runs', async () => {
  const client = await (await testKernel()).connect()
  const failing = client.sendExecute('error boom')
  await client.next('execute_input', failing)
  const late = client.sendExecute('print late')
  expect((await client.done(failing)).content['status']).toBe('error')
  expect((await client.done(late)).content['status']).toBe('aborted')
  expect((await client.execute('print now')).content['status']).toBe('ok')
})

test('several clients: one order, monotone counts, everyone sees every input, replies only to the asker', async () => {
  const test = await testKernel()
  const clients = [await test.connect(), await test.connect(), await test.connect()]
  const ids = clients.map((client, c) => Array.from({ length: 30 }, (_, n) => client.sendExecute(`print ${c}-${n}`)))
  const counts: number[] = []
  for (const [c, client] of clients.entries())
    for (const id of ids[c] ?? []) counts.push((await client.done(id)).content['execution_count'] as number)
  expect(counts.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 90 }, (_, n) => n + 1))
  for (const client of clients) {
    const inputs = client.messages.filter((message) => message.header.msg_type === 'execute_input')
    expect(inputs.map((message) => message.content['execution_count'])).toEqual(Array.from({ length: 90 }, (_, n) => n + 1))
    expect(client.messages.filter((message) => message.channel === 'shell')).toHaveLength(30)
  }
})

test('language by metadata and by cell magic; both share the count and the order', async () => {
  const test = await testKernel()
  const client = await test.connect()
  await client.execute('set x lua')
  await client.execute('%%js\nset x js')
  expect((await client.execute('get x')).content['status']).toBe('ok')
  const byMagic = await client.execute('%%typescript\nget x', {})
  expect(client.published(byMagic.parent_header.msg_id as string)).toContain('result [4] {"text/plain":"js"}')
  const byMetadata = await client.execute('get x', {}, { llmspell: { language: 'javascript' } })
  expect(client.published(byMetadata.parent_header.msg_id as string)).toContain('result [5] {"text/plain":"js"}')
})

test('a magic keeps line numbers', async () => {
  const client = await (await testKernel()).connect()
  const reply = await client.execute('%%js\nprint a\nerror boom', {}, { llmspell: { source: '/x.js' } })
  expect(reply.content['llmspell']).toMatchObject({ position: { source: '/x.js', line: 3 } })
})

test('unknown magics and languages say what is near', async () => {
  const client = await (await testKernel()).connect()
  expect((await client.execute('%%lau\nprint a')).content).toMatchObject({
    status: 'error',
    ename: 'UnknownMagic',
    evalue: 'unknown cell magic %%lau (Did you mean %%lua?)',
  })
  const reply = await client.execute('print a', {}, { llmspell: { language: 'javascrip' } })
  expect(reply.content).toMatchObject({
    status: 'error',
    ename: 'InvalidRequest',
    llmspell: { data: { path: 'metadata.llmspell.language' }, hint: "Did you mean 'javascript'?" },
  })
})

test.each([
  [{ llmspell: 7 }, 'metadata.llmspell'],
  [{ llmspell: { namespace: 'mine' } }, 'metadata.llmspell.namespace'],
  [{ llmspell: { args: ['a', 1] } }, 'metadata.llmspell.args'],
  [{ llmspell: { cwd: 'relative/path' } }, 'metadata.llmspell.cwd'],
  [{ llmspell: { source: 1 } }, 'metadata.llmspell.source'],
])('metadata %j is refused with its path', async (metadata, path) => {
  const client = await (await testKernel()).connect()
  const reply = await client.execute('print a', {}, metadata)
  expect(reply.content).toMatchObject({ status: 'error', ename: 'InvalidRequest', llmspell: { data: { path } } })
  expect(client.published(reply.parent_header.msg_id as string)).toEqual(['busy', 'idle'])
})

test.each(['exit', 'quit', ' exit() ', 'quit();'])('%j alone asks the console to leave', async (code) => {
  const client = await (await testKernel()).connect()
  const reply = await client.execute(code)
  expect(reply.content).toMatchObject({ status: 'ok', payload: [{ source: 'ask_exit', keepkernel: true }] })
})

test("a script's own exit code is in the reply", async () => {
  const client = await (await testKernel()).connect()
  expect((await client.execute('exit 3')).content).toMatchObject({ status: 'error', ename: 'Exit', llmspell: { exit: { code: 3 } } })
  expect((await client.execute('exit 0')).content).toMatchObject({ status: 'ok', llmspell: { exit: { code: 0 } } })
})

test('a lost engine is told, and the next cell runs', async () => {
  const client = await (await testKernel()).connect()
  await client.execute('set x 1')
  const reply = await client.execute('crash')
  expect(reply.content).toMatchObject({ status: 'error', ename: 'EngineCrashed', llmspell: { engine_lost: true } })
  expect((reply.content['traceback'] as string[]).at(-1)).toContain('State is not')
  expect((await client.execute('print alive')).content['status']).toBe('ok')
})

test('code that names its source is a program: it has no result', async () => {
  const client = await (await testKernel()).connect()
  const reply = await client.execute('42', {}, { llmspell: { source: '/tmp/a.lua' } })
  expect(client.published(reply.parent_header.msg_id as string)).toEqual(['busy', 'input [1] 42', 'idle'])
})

test('two requests with one msg_id are two executions', async () => {
  const client = await (await testKernel()).connect()
  const message = client.session.createRaw('execute_request', 'shell', { code: 'sleep 20\nprint a' })
  client.sendMessage(message)
  client.sendMessage(message)
  await client.find('the second reply', () => client.replies(message.header.msg_id).length === 2)
  expect(client.replies(message.header.msg_id).map((reply) => reply.content['execution_count'])).toEqual([1, 2])
})

test('the reply tells when the cell started', async () => {
  const client = await (await testKernel()).connect()
  const reply = await client.execute('1')
  expect(Date.parse(reply.metadata['started'] as string)).toBeGreaterThan(0)
})
