import { echoEngineFactory } from '@llmspell/script/echo'
import { expect, test } from 'vitest'
import { testKernel } from '../support/test-kernel.ts'

test('stops what runs, keeps the variables, aborts what its client had queued', async () => {
  const test = await testKernel()
  const [client, other] = [await test.connect(), await test.connect()]
  await client.execute('set x 1')
  const endless = client.sendExecute('print started\nspin')
  await client.next('stream', endless)
  const behind = client.sendExecute('print behind')
  const foreign = other.sendExecute('get x')
  await other.request('control', 'kernel_info_request')
  expect((await client.request('control', 'interrupt_request')).content).toEqual({ status: 'ok', llmspell: { interrupted: true } })
  const reply = await client.done(endless)
  expect(reply.content).toMatchObject({ status: 'error', ename: 'Interrupted' })
  expect(client.published(endless).at(-2)).toBe('error Interrupted: interrupted')
  expect((await client.done(behind)).content['status']).toBe('aborted')
  expect((await other.done(foreign)).content['status']).toBe('ok')
})

test('when idle it is a no-op, as often as one likes', async () => {
  const client = await (await testKernel()).connect()
  const ids = Array.from({ length: 20 }, () => client.send('control', 'interrupt_request'))
  for (const id of ids) expect((await client.done(id)).content).toEqual({ status: 'ok', llmspell: { interrupted: false } })
  expect((await client.execute('1')).content['status']).toBe('ok')
})

test('a second interrupt does no harm', async () => {
  const client = await (await testKernel()).connect()
  const endless = client.sendExecute('spin')
  await client.next('execute_input', endless)
  const interrupts = Array.from({ length: 5 }, () => client.send('control', 'interrupt_request'))
  for (const id of interrupts) expect((await client.done(id)).content['status']).toBe('ok')
  expect((await client.done(endless)).content['ename']).toBe('Interrupted')
  expect((await client.execute('1')).content['status']).toBe('ok')
})

test('picks one execution: running, queued or in a fresh namespace', async () => {
  const client = await (await testKernel()).connect()
  const shared = client.sendExecute('spin')
  const queued = client.sendExecute('print queued')
  const kept = client.sendExecute('print kept')
  const fresh = client.sendExecute('spin', {}, { llmspell: { namespace: 'fresh' } })
  await client.next('execute_input', shared)
  await client.next('execute_input', fresh)
  const interrupt = (execution: string) => client.request('control', 'interrupt_request', {}, { llmspell: { execution } })
  await interrupt(queued)
  expect((await client.done(queued)).content['status']).toBe('aborted')
  await interrupt(fresh)
  expect((await client.done(fresh)).content['ename']).toBe('Interrupted')
  expect((await interrupt('nobody')).content).toEqual({ status: 'ok', llmspell: { interrupted: false } })
  expect(client.replies(shared)).toHaveLength(0)
  expect(client.replies(kept)).toHaveLength(0)
})

test('ends the wait for input', async () => {
  const client = await (await testKernel()).connect()
  const asking = client.sendExecute('input name?')
  await client.next('input_request', asking)
  await client.request('control', 'interrupt_request')
  expect((await client.done(asking)).content['ename']).toBe('Interrupted')
  const again = client.sendExecute('input name?')
  const prompt = await client.next('input_request', again)
  client.send('stdin', 'input_reply', { value: 'Ada' }, {}, prompt)
  expect((await client.done(again)).content['status']).toBe('ok')
})

test('aborts the host call that a script waits for', async () => {
  const { promise: aborted, resolve } = Promise.withResolvers<void>()
  const { promise: called, resolve: onCall } = Promise.withResolvers<void>()
  const test = await testKernel({
    call: ({ signal }) => {
      onCall()
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          resolve()
          reject(signal.reason)
        })
      })
    },
  })
  const client = await test.connect()
  const calling = client.sendExecute('call Slow.work []')
  await called
  await client.request('control', 'interrupt_request')
  await aborted
  expect((await client.done(calling)).content['ename']).toBe('Interrupted')
})

test('reaches a cell whose engine is still starting', async () => {
  const echo = echoEngineFactory(['lua'])
  const { promise: started, resolve: start } = Promise.withResolvers<void>()
  const test = await testKernel({
    engines: [
      {
        ...echo,
        create(host, options) {
          const engine = echo.create(host, options)
          const begin = engine.start.bind(engine)
          engine.start = () => started.then(begin)
          return engine
        },
      },
    ],
  })
  const client = await test.connect()
  expect((await client.request('shell', 'kernel_info_request')).content['status']).toBe('ok')
  const waiting = client.sendExecute('print a')
  await client.next('execute_input', waiting)
  await client.request('control', 'interrupt_request')
  expect((await client.done(waiting)).content['ename']).toBe('Interrupted')
  start()
  expect((await client.execute('print b')).content['status']).toBe('ok')
})

test('an interrupt on its way never hits the next cell', async () => {
  const echo = echoEngineFactory(['lua'])
  let arriving: { finish: () => void } | undefined
  const client = await (
    await testKernel({
      engines: [
        {
          ...echo,
          create(host, options) {
            const engine = echo.create(host, options)
            engine.interrupt = () =>
              new Promise((resolve) => {
                arriving = { finish: resolve }
              })
            return engine
          },
        },
      ],
    })
  ).connect()
  const first = client.sendExecute('sleep 50')
  const second = client.sendExecute('print second')
  await client.next('execute_input', first)
  const interrupt = client.send('control', 'interrupt_request')
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(client.published(second)).toEqual([])
  arriving?.finish()
  expect((await client.done(interrupt)).content['status']).toBe('ok')
  expect((await client.done(second)).content['status']).toBe('ok')
  // Nor when nothing runs but callbacks.
  const idle = client.send('control', 'interrupt_request')
  await client.next('status', idle)
  const third = client.sendExecute('print third')
  await client.next('execute_input', third)
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(client.published(third)).toEqual(['busy', 'input [3] print third'])
  arriving?.finish()
  expect((await client.done(third)).content['status']).toBe('ok')
})

test('metadata of a wrong type is refused', async () => {
  const client = await (await testKernel()).connect()
  const reply = await client.request('control', 'interrupt_request', {}, { llmspell: { execution: 7 } })
  expect(reply.content).toMatchObject({ status: 'error', llmspell: { data: { path: 'metadata.llmspell.execution' } } })
})
