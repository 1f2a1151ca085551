import { createMemoryTransport, type KernelTransport, type Message } from '@llmspell/jupyter'
import { expect, test } from 'vitest'
import { TestClient, testKernel } from '../support/test-kernel.ts'

test('stdout, stderr and displays keep their order; nothing comes after idle', async () => {
  const client = await (await testKernel()).connect()
  const reply = await client.execute(
    'print a\nstderr b\nprint c\ndisplay {"text/plain":"d"}\nwrite e\nclear wait\nupdate x {"text/plain":"f"}',
  )
  expect(client.published(reply.parent_header.msg_id as string).slice(2)).toEqual([
    'stdout "a\\n"',
    'stderr "b\\n"',
    'stdout "c\\n"',
    'display_data {"data":{"text/plain":"d"},"metadata":{},"transient":{}}',
    'stdout "e"',
    'clear_output {"wait":true}',
    'update_display_data {"data":{"text/plain":"f"},"metadata":{},"transient":{"display_id":"x"}}',
    'idle',
  ])
})

test('many small writes arrive whole, in order, in few messages', async () => {
  const client = await (await testKernel()).connect()
  const reply = await client.execute('lines 20000')
  const id = reply.parent_header.msg_id
  const streams = client.messages.filter(({ header, parent_header }) => header.msg_type === 'stream' && parent_header.msg_id === id)
  expect(streams.map(({ content }) => content['text']).join('')).toBe(Array.from({ length: 20000 }, (_, n) => `${n + 1}\n`).join(''))
  expect(streams.length).toBeLessThan(200)
  expect(client.published(id as string).at(-1)).toBe('idle')
})

test('output of a callback belongs to the cell that started it, also after idle', async () => {
  const client = await (await testKernel()).connect()
  const first = await client.execute('late 30 one')
  const second = client.sendExecute('sleep 80\nprint two')
  await client.done(second)
  expect(client.published(first.parent_header.msg_id as string)).toEqual(['busy', 'input [1] late 30 one', 'idle', 'stdout "one\\n"'])
  expect(client.published(second)).toEqual(['busy', 'input [2] sleep 80\nprint two', 'stdout "two\\n"', 'idle'])
})

/** A carrier that takes nothing until it is told to. */
function slowTransport(): {
  transport: KernelTransport
  connect: () => Promise<TestClient>
  released: PromiseWithResolvers<void>
  high: () => number
} {
  const [memory, connect] = createMemoryTransport()
  const released = Promise.withResolvers<void>()
  let open = false
  let backlog = 0
  let high = 0
  const waiting: (() => void)[] = []
  void released.promise.then(() => {
    open = true
    for (const run of waiting.splice(0)) run()
    backlog = 0
  })
  const transport: KernelTransport = {
    onMessage: (listener) => memory.onMessage(listener),
    open: () => memory.open(),
    send: (channel, peer, message) => memory.send(channel, peer, message),
    publish(topic, message) {
      if (open) return memory.publish(topic, message)
      backlog += JSON.stringify((message as Message).content).length
      high = Math.max(high, backlog)
      waiting.push(() => memory.publish(topic, message))
    },
    get backlog() {
      return backlog
    },
    flushed: () => (open ? memory.flushed() : released.promise),
    close: () => memory.close(),
  }
  return {
    transport,
    released,
    high: () => high,
    async connect() {
      const client = new TestClient(connect())
      await client.open()
      return client
    },
  }
}

test('a slow subscriber stalls the script, then gets everything', async () => {
  const { transport, connect, released, high } = slowTransport()
  await testKernel({ transport, limits: { outputHighWater: 100_000 } })
  const client = await connect()
  const id = client.sendExecute('lines 100000')
  await new Promise((resolve) => setTimeout(resolve, 150))
  expect(client.replies(id)).toHaveLength(0)
  expect(high()).toBeLessThan(300_000)
  released.resolve()
  await client.done(id)
  const text = client.messages.filter(({ header }) => header.msg_type === 'stream').map(({ content }) => content['text'])
  expect(text.join('')).toBe(Array.from({ length: 100000 }, (_, n) => `${n + 1}\n`).join(''))
  expect(client.published(id).at(-1)).toBe('idle')
})

test('an interrupt ends a script that is stalled', async () => {
  const { transport, connect, released } = slowTransport()
  await testKernel({ transport, limits: { outputHighWater: 10_000 } })
  const client = await connect()
  const id = client.sendExecute('lines 1000000')
  await new Promise((resolve) => setTimeout(resolve, 50))
  client.send('control', 'interrupt_request')
  const reply = await client.next('execute_reply', id)
  expect(reply.content['ename']).toBe('Interrupted')
  released.resolve()
  await client.idle(id)
})

test('when patience ends, streams are dropped and counted, status messages are not', async () => {
  const { transport, connect, released } = slowTransport()
  const test = await testKernel({ transport, limits: { outputHighWater: 50_000, outputPatience: 50 } })
  const client = await connect()
  const id = client.sendExecute('lines 50000\n42')
  await client.next('execute_reply', id)
  released.resolve()
  await client.idle(id)
  const published = client.published(id)
  const total = Array.from({ length: 50000 }, (_, n) => `${n + 1}\n`).join('').length
  const notice = published.find((line) => line.includes('bytes of output dropped'))
  const dropped = Number(/(\d+) bytes/.exec(notice ?? '')?.[1])
  const arrived = client.messages
    .filter(({ header, content }) => header.msg_type === 'stream' && content['name'] === 'stdout')
    .map(({ content }) => content['text'] as string)
    .join('').length
  expect(arrived + dropped).toBe(total)
  expect(test.kernel.status().counters['dropped_bytes']).toBe(dropped)
  expect(published.slice(-2)).toEqual([expect.stringContaining('bytes of output dropped'), 'idle'])
  expect(published).toContain('result [1] {"text/plain":"42"}')
})
