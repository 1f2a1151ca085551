import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DapClient } from '../src/client.ts'
import { nodeStream } from '../src/node.ts'
import type * as Dap from '../src/protocol.ts'
import { serveToy, type ToyServer } from './adapter.ts'

let server: ToyServer
let socket: Socket
let client: DapClient

beforeEach(async () => {
  server = await serveToy()
  socket = connect(server.port, '127.0.0.1')
  await once(socket, 'connect')
  client = new DapClient(nodeStream(socket, socket))
})

afterEach(async () => {
  client.close()
  await server.close()
})

async function launch(...lines: number[]): Promise<void> {
  await client.request('initialize', { adapterID: 'toy' })
  await client.waitFor('initialized')
  const launched = client.request('launch', { program: '/toy.txt' })
  await client.request('setBreakpoints', { source: { path: '/toy.txt' }, breakpoints: lines.map((line) => ({ line })) })
  await client.request('configurationDone')
  await launched
}

test('a whole session', async () => {
  await launch(4)
  expect(client.capabilities.supportsConfigurationDoneRequest).toBe(true)
  const { threadId = 0, reason } = await client.waitFor('stopped')
  expect(reason).toBe('breakpoint')
  const [frame] = (await client.request('stackTrace', { threadId })).stackFrames
  expect(frame?.line).toBe(4)
  await client.request('setVariable', { variablesReference: 7, name: 'x', value: '»ß«' })
  expect((await client.request('evaluate', { expression: 'x' })).result).toBe('x is »ß«')
  await client.request('next', { threadId })
  expect(await client.waitFor('stopped')).toMatchObject({ reason: 'step' })
  await client.request('continue', { threadId })
  await client.waitFor('terminated')
  const printed: string[] = []
  for (let line = 1; line <= 10; line++) printed.push((await client.waitFor('output')).output)
  expect(printed.join('')).toBe('1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n')
})

test('a refusal comes with the words of the adapter', async () => {
  await expect(client.request('launch', {})).rejects.toMatchObject({ code: 'dap.request_failed', message: 'launch needs a program' })
  await expect(client.request('next', { threadId: 'x' } as unknown as Dap.NextArguments)).rejects.toMatchObject({
    message: 'next: arguments.threadId must be a whole number, not a string',
  })
})

test('a wait says what it waited for', async () => {
  await expect(client.waitFor('stopped', { timeoutMs: 20 })).rejects.toMatchObject({
    code: 'timeout',
    message: 'timed out after 20 ms waiting for the event "stopped"',
  })
})

test('a request is cancelled where the adapter can', async () => {
  await client.request('initialize', { adapterID: 'toy' })
  const aborter = new AbortController()
  const asked = client.request('evaluate', { expression: 'never' }, { signal: aborter.signal })
  aborter.abort()
  await expect(asked).rejects.toMatchObject({ code: 'dap.cancelled' })
  expect((await client.request('threads')).threads).toHaveLength(1)
})

test('when the adapter goes away, everything that waits says so', async () => {
  const stopped = client.waitFor('stopped')
  const asked = client.request('evaluate', { expression: 'never' })
  const failures = Promise.allSettled([stopped, asked])
  await server.close()
  const reason = await client.ended
  expect(reason?.code).toBe('dap.closed')
  expect((await failures).map((failure) => (failure.status === 'rejected' ? failure.reason.code : 'fulfilled'))).toEqual([
    'dap.closed',
    'dap.closed',
  ])
  await expect(client.waitFor('stopped')).rejects.toMatchObject({ code: 'dap.closed' })
  await expect(client.request('threads')).rejects.toMatchObject({ code: 'dap.closed' })
})

test('closing it ends it without a reason', async () => {
  client.close()
  expect(await client.ended).toBeUndefined()
})

test('garbage ends the connection with what was wrong', async () => {
  const closed = once(socket, 'close')
  socket.write('GET / HTTP/1.1\r\n\r\n')
  await closed
  expect(server.errors).toMatchObject([{ code: 'dap.bad_header' }])
})
