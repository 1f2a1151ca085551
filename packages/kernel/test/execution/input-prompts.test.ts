import { createMemoryTransport, type KernelTransport, type Message, type Peer } from '@llmspell/jupyter'
import { expect, test } from 'vitest'
import { ANSWER, TestClient, testKernel } from '../support/test-kernel.ts'

test('asks the client whose cell runs, and only that one', async () => {
  const test = await testKernel()
  const [asker, other] = [await test.connect(), await test.connect()]
  const id = asker.sendExecute('write before\ninput name?')
  const prompt = await asker.next('input_request', id)
  expect(prompt.content).toEqual({ prompt: 'name?', password: false })
  expect(asker.published(id)).toContain('stdout "before"')
  other.send('stdin', 'input_reply', { value: 'Mallory' }, {}, prompt)
  other.send('stdin', 'input_reply', { value: 'Mallory' })
  await other.request('control', 'kernel_info_request')
  asker.send('stdin', 'input_reply', { value: 'Ada' }, {}, prompt)
  expect((await asker.done(id)).content['status']).toBe('ok')
  expect(asker.published(id)).toContain('stdout "got: Ada\\n"')
  expect(other.messages.filter(({ channel }) => channel === 'stdin')).toEqual([])
})

test('an answer without a parent, as jupyter_client sends it, is taken by its session', async () => {
  const client = await (await testKernel()).connect()
  const id = client.sendExecute('password secret?')
  expect((await client.next('input_request', id)).content).toEqual({ prompt: 'secret?', password: true })
  client.send('stdin', 'input_reply', { value: 'four' })
  await client.done(id)
  expect(client.published(id)).toContain('stdout "4\\n"')
})

test('end of input', async () => {
  const client = await (await testKernel()).connect()
  const id = client.sendExecute('input more?')
  const prompt = await client.next('input_request', id)
  client.send('stdin', 'input_reply', { value: '\u0004' }, {}, prompt)
  await client.done(id)
  expect(client.published(id)).toContain('stdout "got: nothing\\n"')
})

test('a client that takes no input gets an error at once', async () => {
  const client = await (await testKernel()).connect()
  const reply = await client.execute('input name?', { allow_stdin: false })
  expect(reply.content).toMatchObject({ status: 'error', ename: 'input.not_allowed', evalue: 'this client does not take input' })
  expect(client.messages.filter(({ channel }) => channel === 'stdin')).toEqual([])
})

test('a malformed answer ends the wait with its path', async () => {
  const client = await (await testKernel()).connect()
  const id = client.sendExecute('input name?')
  const prompt = await client.next('input_request', id)
  client.send('stdin', 'input_reply', { value: 7 }, {}, prompt)
  expect((await client.done(id)).content).toMatchObject({ status: 'error', evalue: expect.stringContaining('content.value') })
})

test('stray messages on stdin do nothing', async () => {
  const client = await (await testKernel()).connect()
  client.send('stdin', 'input_reply', { value: 'nobody asked' })
  client.send('stdin', 'execute_request', { code: 'print a' })
  expect((await client.execute('1')).content['execution_count']).toBe(1)
})

test('a client that leaves ends the wait', async () => {
  const test = await testKernel()
  const [asker, other] = [await test.connect(), await test.connect()]
  const id = asker.sendExecute('input name?')
  await asker.next('input_request', id)
  await asker.close()
  await other.next('error', id)
  expect(other.published(id)).toContain('error input.client_gone: the client that should answer is gone')
})

/** A carrier on which questions come back so many times. */
function withoutStdin(times: number): { transport: KernelTransport; connect: () => Promise<TestClient>; tries: () => number } {
  const [memory, connect] = createMemoryTransport()
  let tries = 0
  let onUndeliverable: (peer: Peer, message: Message<object>) => void = () => {}
  const transport: KernelTransport = {
    onMessage: (listener) => memory.onMessage(listener),
    open: () => memory.open(),
    send(channel, peer, message) {
      if (channel === 'stdin' && ++tries <= times) onUndeliverable(peer, message)
      else memory.send(channel, peer, message)
    },
    publish: (topic, message) => memory.publish(topic, message),
    backlog: 0,
    onUndeliverable(listener) {
      onUndeliverable = listener
      return { dispose() {} }
    },
    flushed: () => memory.flushed(),
    close: () => memory.close(),
  }
  return {
    transport,
    tries: () => tries,
    async connect() {
      const client = new TestClient(connect())
      await client.open()
      return client
    },
  }
}

test('a client whose stdin comes late is asked as soon as it is there', async () => {
  const { transport, connect, tries } = withoutStdin(2)
  await testKernel({ transport })
  const client = await connect()
  const id = client.sendExecute('input name?')
  const prompt = await client.next('input_request', id)
  expect(tries()).toBe(3)
  client.send('stdin', 'input_reply', { value: 'Ada' }, {}, prompt)
  expect((await client.done(id)).content['status']).toBe('ok')
})

test(
  'one without stdin gets an error in the end',
  async () => {
    const { transport, connect } = withoutStdin(Number.POSITIVE_INFINITY)
    await testKernel({ transport })
    const client = await connect()
    expect((await client.execute('input name?')).content).toMatchObject({ status: 'error', ename: 'input.client_gone' })
  },
  ANSWER,
)
