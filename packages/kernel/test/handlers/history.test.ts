import { expect, test } from 'vitest'
import { MemoryHistoryStore } from '../../src/index.ts'
import { type TestClient, testKernel } from '../support/test-kernel.ts'

async function history(client: TestClient, content: object): Promise<unknown> {
  return (await client.request('shell', 'history_request', content)).content['history']
}

async function clientWithHistory(): Promise<TestClient> {
  const store = new MemoryHistoryStore()
  await store.openSession()
  store.append({ session: 1, line: 1, source: 'print old' })
  store.append({ session: 1, line: 2, source: 'get x' })
  const client = await (await testKernel({ history: store })).connect()
  await client.execute('set x 1')
  await client.execute('get x')
  await client.execute('print silent', { silent: true })
  await client.execute('print kept out', { store_history: false })
  await client.execute('error boom')
  return client
}

test('tail: the last inputs, over sessions, oldest first', async () => {
  const client = await clientWithHistory()
  expect(await history(client, { hist_access_type: 'tail', n: 4 })).toEqual([
    [1, 2, 'get x'],
    [2, 1, 'set x 1'],
    [2, 2, 'get x'],
    [2, 3, 'error boom'],
  ])
})

test('range: this session and earlier ones, with outputs', async () => {
  const client = await clientWithHistory()
  expect(await history(client, { hist_access_type: 'range', session: 0, start: 1, stop: 3, output: true })).toEqual([
    [2, 1, ['set x 1', null]],
    [2, 2, ['get x', '1']],
  ])
  expect(await history(client, { hist_access_type: 'range', session: -1 })).toEqual([
    [1, 1, 'print old'],
    [1, 2, 'get x'],
  ])
  expect(await history(client, { hist_access_type: 'range', session: 1, start: 2 })).toEqual([[1, 2, 'get x']])
})

test('search: a glob over the whole input, unique, newest of equals, at most n', async () => {
  const client = await clientWithHistory()
  expect(await history(client, { hist_access_type: 'search', pattern: 'get*', unique: true })).toEqual([[2, 2, 'get x']])
  expect(await history(client, { hist_access_type: 'search', pattern: '*x*', n: 2 })).toEqual([
    [2, 1, 'set x 1'],
    [2, 2, 'get x'],
  ])
  expect(await history(client, { hist_access_type: 'search', pattern: 'x' })).toEqual([])
  expect(await history(client, { hist_access_type: 'search', pattern: '?rint [a-o]l*' })).toEqual([[1, 1, 'print old']])
})

test('a restart begins a session of its own', async () => {
  const client = await clientWithHistory()
  await client.request('control', 'shutdown_request', { restart: true })
  await client.execute('print new')
  expect(await history(client, { hist_access_type: 'range', session: 0 })).toEqual([[3, 1, 'print new']])
})

test('a history that does not open holds up no cell, and says so when asked', async () => {
  const store = new MemoryHistoryStore()
  store.openSession = () => Promise.reject(new Error('disk full'))
  const client = await (await testKernel({ history: store })).connect()
  expect((await client.execute('print a')).content['status']).toBe('ok')
  const reply = await client.request('shell', 'history_request', { hist_access_type: 'range' })
  expect(reply.content).toMatchObject({ status: 'error', evalue: 'disk full' })
})
