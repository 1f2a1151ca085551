import { withTimeout } from '@llmspell/base'
import { echoEngineFactory } from '@llmspell/script/echo'
import { expect, test } from 'vitest'
import { ANSWER, RECORD, testKernel } from '../support/test-kernel.ts'

test('the owner ends the kernel: reply, broadcast, idle, then it is gone', async () => {
  const reasons: string[] = []
  const { kernel, ...test } = await testKernel({ owned: true, onStop: (reason) => reasons.push(reason) })
  const [owner, other] = [await test.connect(), await test.connect()]
  const reply = await owner.request('control', 'shutdown_request', { restart: false })
  expect(reply.content).toEqual({ status: 'ok', restart: false })
  const id = reply.parent_header.msg_id as string
  expect(owner.published(id)).toEqual(['busy', 'shutdown_reply {"status":"ok","restart":false}', 'idle'])
  await other.next('shutdown_reply', id)
  expect(await withTimeout(kernel.closed, ANSWER, 'the kernel to close')).toBe('shutdown_request')
  expect(reasons).toEqual(['shutdown_request'])
})

test('a manager that launches it anew ends it to restart it', async () => {
  const { kernel, connect } = await testKernel({ owned: true, relaunched: true })
  const client = await connect()
  expect((await client.request('control', 'shutdown_request', { restart: true })).content).toEqual({ status: 'ok', restart: true })
  expect(await withTimeout(kernel.closed, ANSWER, 'the kernel to close')).toBe('shutdown_request')
})

test('during an endless cell: running and queued work is answered first', async () => {
  const { kernel, connect } = await testKernel({ owned: true })
  const client = await connect()
  const endless = client.sendExecute('spin')
  const queued = client.sendExecute('print queued')
  const fresh = client.sendExecute('spin', {}, { llmspell: { namespace: 'fresh' } })
  const asking = client.sendExecute('input name?', {}, { llmspell: { namespace: 'fresh' } })
  await client.next('input_request', asking)
  await client.next('execute_input', fresh)
  client.send('control', 'shutdown_request', { restart: false })
  expect((await client.done(endless)).content).toMatchObject({ status: 'error', ename: 'KernelStopped' })
  expect((await client.done(queued)).content['status']).toBe('aborted')
  expect((await client.done(fresh)).content['ename']).toBe('KernelStopped')
  expect((await client.done(asking)).content['status']).toBe('error')
  await withTimeout(kernel.closed, ANSWER, 'the kernel to close')
})

test('also while an interrupt does not get through', async () => {
  const echo = echoEngineFactory(['lua'])
  const { kernel, connect } = await testKernel({
    owned: true,
    engines: [
      { ...echo, create: (host, options) => Object.assign(echo.create(host, options), { interrupt: () => new Promise<void>(() => {}) }) },
    ],
  })
  const client = await connect()
  const endless = client.sendExecute('spin')
  await client.next('execute_input', endless)
  client.send('control', 'interrupt_request')
  await client.request('shell', 'kernel_info_request')
  void kernel.stop('signal')
  expect((await client.done(endless)).content['ename']).toBe('KernelStopped')
  expect(await withTimeout(kernel.closed, ANSWER, 'the kernel to close')).toBe('signal')
})

test('while it ends, work is refused and kernel_info is answered as ever', async () => {
  const echo = echoEngineFactory(['lua'])
  const gone = Promise.withResolvers<void>()
  const { kernel, connect } = await testKernel({
    engines: [{ ...echo, create: (host, options) => Object.assign(echo.create(host, options), { dispose: () => gone.promise }) }],
  })
  const client = await connect()
  const info = await client.request('shell', 'kernel_info_request')
  const stopped = kernel.stop('signal')
  await client.next('shutdown_reply')
  expect((await client.request('shell', 'kernel_info_request')).content).toEqual(info.content)
  expect((await client.execute('print a')).content).toMatchObject({ status: 'error', ename: 'KernelStopped' })
  expect((await client.request('shell', 'complete_request', { code: 'p' })).content['ename']).toBe('KernelStopped')
  gone.resolve()
  await stopped
})

test('of a kernel that is not theirs clients only detach', async () => {
  const client = await (await testKernel()).connect()
  await client.execute('set x 1')
  const reply = await client.request('control', 'shutdown_request', { restart: false })
  expect(reply.content).toEqual({ status: 'ok', restart: false, llmspell: { detached: true } })
  expect(client.published(reply.parent_header.msg_id as string)).toEqual(['busy', 'idle'])
  expect((await client.execute('get x')).content['status']).toBe('ok')
})

test('unless they say stop', async () => {
  const { kernel, connect } = await testKernel()
  const client = await connect()
  const reply = await client.request('control', 'shutdown_request', { restart: false }, { llmspell: { stop: true } })
  expect(reply.content).toEqual({ status: 'ok', restart: false })
  expect(await withTimeout(kernel.closed, ANSWER, 'the kernel to close')).toBe('shutdown_request')
})

test.each([
  ['not owned', {}, { owned: false }],
  ['owned', {}, { owned: true }],
  ['of a manager, asked for it', { llmspell: { inPlace: true } }, { owned: true, relaunched: true }],
])('restart in place (%s): fresh namespaces, same clients, count from one', async (_, metadata, options) => {
  const { kernel, connect } = await testKernel({ ...options, record: { ...RECORD } })
  const client = await connect()
  await client.execute('set x 1')
  const endless = client.sendExecute('spin')
  await client.next('execute_input', endless)
  const queued = client.sendExecute('print queued')
  const restart = client.send('control', 'shutdown_request', { restart: true }, metadata)
  const meanwhile = client.sendExecute('get x')
  expect((await client.done(restart)).content).toEqual({ status: 'ok', restart: true })
  expect((await client.done(endless)).content['ename']).toBe('KernelRestarted')
  expect((await client.done(queued)).content['status']).toBe('aborted')
  expect(['error', 'aborted']).toContain((await client.done(meanwhile)).content['status'])
  expect(client.messages.some(({ content }) => content['execution_state'] === 'starting')).toBe(true)
  const reply = await client.execute('get x')
  expect(reply.content).toMatchObject({ status: 'error', evalue: "no variable 'x'" })
  expect(kernel.status().execution_state).toBe('idle')
})

test('what comes while it restarts runs in the new life', async () => {
  const { kernel, connect } = await testKernel()
  const client = await connect()
  await client.execute('set x 1')
  const restarted = kernel.restart()
  const id = client.sendExecute('get x')
  const [reply] = await Promise.all([client.done(id), restarted])
  expect(reply.content).toMatchObject({ status: 'error', evalue: "no variable 'x'", execution_count: 1 })
})
