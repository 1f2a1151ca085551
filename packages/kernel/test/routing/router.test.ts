import { expect, test } from 'vitest'
import { testKernel } from '../support/test-kernel.ts'

const REQUESTS: [channel: 'shell' | 'control', type: string, content: object][] = [
  ['shell', 'kernel_info_request', {}],
  ['shell', 'connect_request', {}],
  ['shell', 'execute_request', { code: '1' }],
  ['shell', 'complete_request', { code: 'pri', cursor_pos: 3 }],
  ['shell', 'inspect_request', { code: 'print', cursor_pos: 2 }],
  ['shell', 'is_complete_request', { code: 'print a' }],
  ['shell', 'history_request', { hist_access_type: 'tail', n: 3 }],
  ['shell', 'comm_info_request', {}],
  ['shell', 'variables_request', {}],
  ['shell', 'interrupt_request', {}],
  ['control', 'kernel_info_request', {}],
  ['control', 'interrupt_request', {}],
  ['control', 'shutdown_request', { restart: false }],
  ['control', 'debug_request', { type: 'request', seq: 1, command: 'initialize' }],
  ['control', 'usage_request', {}],
  ['control', 'kernel_status_request', {}],
  ['control', 'variables_request', {}],
  ['control', 'create_subshell_request', {}],
  ['control', 'delete_subshell_request', { subshell_id: 'x' }],
  ['control', 'list_subshell_request', {}],
  ['shell', 'frobnicate_request', {}],
  ['control', 'frobnicate_request', { deep: [1, 2] }],
]

test.each(REQUESTS)('%s %s: busy, one reply, idle, with the request as parent', async (channel, type, content) => {
  const client = await (await testKernel()).connect()
  const reply = await client.request(channel, type, content)
  const id = reply.parent_header.msg_id as string
  expect(reply.header.msg_type).toBe(type.replace('_request', '_reply'))
  expect(reply.channel).toBe(channel)
  expect(reply.content).toHaveProperty('status')
  const published = client.published(id)
  expect(published[0]).toBe('busy')
  expect(published.at(-1)).toBe('idle')
  expect(client.replies(id)).toHaveLength(1)
})

test('an unknown request is an error that names a near one', async () => {
  const client = await (await testKernel()).connect()
  const reply = await client.request('shell', 'complet_request')
  expect(reply.content).toMatchObject({
    status: 'error',
    ename: 'UnknownRequest',
    llmspell: { code: 'kernel.unknown_request', hint: "Did you mean 'complete_request'?" },
  })
})

test.each(['x', 'execute_reply'])('what is no request and unknown (%j) gets an error too', async (type) => {
  const client = await (await testKernel()).connect()
  for (const channel of ['shell', 'control'] as const)
    expect((await client.request(channel, type)).content).toMatchObject({ status: 'error', ename: 'UnknownRequest' })
})

test('names of object members are no message types', async () => {
  const client = await (await testKernel()).connect()
  for (const type of ['__proto___request', 'constructor', 'toString']) client.send('shell', type)
  expect((await client.request('shell', 'kernel_info_request')).content['status']).toBe('ok')
})

test.each([
  ['execute_request', {}, 'code'],
  ['execute_request', { code: 7 }, 'code'],
  ['execute_request', { code: '1', silent: 'yes' }, 'silent'],
  ['complete_request', { code: 'a', cursor_pos: 'end' }, 'cursor_pos'],
  ['history_request', { hist_access_type: 'everything' }, 'hist_access_type'],
])('%s with content %j names what is wrong', async (type, content, path) => {
  const client = await (await testKernel()).connect()
  const reply = await client.request('shell', type, content)
  expect(reply.content).toMatchObject({ status: 'error', ename: 'InvalidRequest', llmspell: { data: { path } } })
  expect(client.published(reply.parent_header.msg_id as string)).toEqual(['busy', 'idle'])
})

test('a request to a subshell is refused: there are none', async () => {
  const client = await (await testKernel()).connect()
  const message = client.session.createRaw('execute_request', 'shell', { code: '1' }, { subshellId: 'x' })
  client.sendMessage(message)
  expect((await client.done(message.header.msg_id)).content).toMatchObject({ status: 'error', ename: 'NotSupported' })
})

test('a handler that throws answers with an error', async () => {
  const client = await (
    await testKernel({
      features: [
        {
          name: 'broken',
          handlers: {
            shell: {
              sync_request: () => {
                throw new TypeError('sync')
              },
              async_request: async () => {
                throw new RangeError('async')
              },
            },
          },
        },
      ],
    })
  ).connect()
  expect((await client.request('shell', 'sync_request')).content).toMatchObject({ status: 'error', ename: 'TypeError', evalue: 'sync' })
  expect((await client.request('shell', 'async_request')).content).toMatchObject({ status: 'error', ename: 'RangeError', evalue: 'async' })
})

test('while a cell runs, everything else is answered', async () => {
  const test = await testKernel()
  const client = await test.connect()
  const endless = client.sendExecute('set greeting hi\nspin')
  await client.next('execute_input', endless)
  for (const [channel, type, content] of REQUESTS) {
    if (type === 'execute_request' || type === 'interrupt_request') continue
    expect((await client.request(channel, type, content)).header.msg_type).toBe(type.replace('_request', '_reply'))
  }
  expect(client.replies(endless)).toHaveLength(0)
})
