import { luaEngineFactory } from '@llmspell/script/lua'
import { expect, test } from 'vitest'
import { testKernel } from '../support/test-kernel.ts'

test('a script opens, uses and closes a comm; comm_info knows it meanwhile', async () => {
  const client = await (await testKernel()).connect()
  const opened = await client.execute('print a\ncomm open c1 widget {"value":1}\ncomm msg c1 {"value":2}')
  expect(client.published(opened.parent_header.msg_id as string).slice(2, -1)).toEqual([
    'stdout "a\\n"',
    'comm_open {"comm_id":"c1","target_name":"widget","data":{"value":1}}',
    'comm_msg {"comm_id":"c1","data":{"value":2}}',
  ])
  expect((await client.request('shell', 'comm_info_request')).content['comms']).toEqual({ c1: { target_name: 'widget' } })
  expect((await client.request('shell', 'comm_info_request', { target_name: 'other' })).content['comms']).toEqual({})
  await client.execute('comm close c1')
  expect((await client.request('shell', 'comm_info_request')).content['comms']).toEqual({})
})

test('a front end opens a comm to a target, is answered with its buffers, and closes it', async () => {
  const client = await (await testKernel()).connect()
  await client.execute('1')
  const open = client.send('shell', 'comm_open', { comm_id: 'c2', target_name: 'echo', data: {} })
  await client.idle(open)
  const message = client.session.createRaw('comm_msg', 'shell', { comm_id: 'c2', data: { n: 1 } }, { buffers: [new Uint8Array([1, 2, 3])] })
  client.sendMessage(message)
  await client.idle(message.header.msg_id)
  const answer = await client.next('comm_msg', message.header.msg_id)
  expect(answer.content).toEqual({ comm_id: 'c2', data: { n: 1 } })
  expect(answer.buffers.map((buffer) => [...buffer])).toEqual([[1, 2, 3]])
  expect(client.published(message.header.msg_id)).toEqual(['busy', 'comm_msg {"comm_id":"c2","data":{"n":1}}', 'idle'])
  await client.idle(client.send('shell', 'comm_close', { comm_id: 'c2', data: {} }))
  expect((await client.request('shell', 'comm_info_request')).content['comms']).toEqual({})
})

test('a target nobody knows is closed again; messages to unknown comms do nothing; neither is replied to', async () => {
  const client = await (await testKernel()).connect()
  await client.execute('1')
  const open = client.send('shell', 'comm_open', { comm_id: 'c3', target_name: 'nobody', data: {} })
  await client.idle(open)
  expect(client.published(open)).toEqual(['busy', 'comm_close {"comm_id":"c3","data":{}}', 'idle'])
  const message = client.send('shell', 'comm_msg', { comm_id: 'c3', data: {} })
  await client.idle(message)
  const malformed = client.send('shell', 'comm_msg', { data: 7 })
  await client.idle(malformed)
  expect(client.messages.filter(({ channel }) => channel === 'shell')).toHaveLength(1)
})

test('an id that is open already: the script is told that the old comm is closed, and the new one has the id', async () => {
  const kernel = await testKernel({ engines: [luaEngineFactory({ catalogue: [] })] })
  const client = await kernel.connect()
  await client.execute(
    'Comm.register_target("w", function(comm, data) comm:on_close(function() print("closed", data.n) end) comm:on_msg(function() comm:send({ n = data.n }) end) end)',
  )
  const content = { comm_id: 'c6', target_name: 'w', data: { n: 1 } }
  await client.idle(client.send('shell', 'comm_open', content))
  const again = client.send('shell', 'comm_open', { ...content, data: { n: 2 } })
  await client.idle(again)
  expect(client.published(again)).toEqual(['busy', 'stdout "closed\\t1\\n"', 'idle'])
  const message = client.send('shell', 'comm_msg', { comm_id: 'c6', data: {} })
  await client.idle(message)
  expect(client.published(message)).toEqual(['busy', 'comm_msg {"comm_id":"c6","data":{"n":2}}', 'idle'])
  const nobody = client.send('shell', 'comm_open', { ...content, target_name: 'nobody' })
  await client.idle(nobody)
  expect((await client.request('shell', 'comm_info_request')).content['comms']).toEqual({})
})

test('a comm message with the id of a running cell does not take its place', async () => {
  const client = await (await testKernel()).connect()
  await client.execute('comm open c7 widget {}')
  const cell = client.sendExecute('sleep 300\nprint not to be seen', { silent: true })
  const message = client.session.createRaw('comm_msg', 'shell', { comm_id: 'c7', data: {} })
  client.sendMessage({ ...message, header: { ...message.header, msg_id: cell } })
  await client.next('comm_msg', cell)
  await client.done(cell)
  expect(client.published(cell).filter((line) => line.startsWith('stdout'))).toEqual([])
})

test('comms of an engine that was lost are closed', async () => {
  const client = await (await testKernel()).connect()
  await client.execute('comm open c5 widget {}')
  await client.execute('crash')
  expect((await client.next('comm_close')).content).toEqual({ comm_id: 'c5', data: {} })
})

test('comms of a namespace that is gone are closed', async () => {
  const client = await (await testKernel()).connect()
  await client.execute('comm open c4 widget {}')
  await client.request('control', 'shutdown_request', { restart: true })
  expect((await client.next('comm_close')).content).toEqual({ comm_id: 'c4', data: {} })
  expect((await client.request('shell', 'comm_info_request')).content['comms']).toEqual({})
})
