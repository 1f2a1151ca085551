import { echoEngineFactory } from '@llmspell/script/echo'
import { expect, test } from 'vitest'
import { testKernel } from '../support/test-kernel.ts'

const FRESH = { llmspell: { namespace: 'fresh' } }

test('a fresh run does not wait for the shared namespace and does not see it', async () => {
  const test = await testKernel()
  const [notebook, runner] = [await test.connect(), await test.connect()]
  await notebook.execute('set x 1')
  const endless = notebook.sendExecute('spin')
  await notebook.next('execute_input', endless)
  const reply = await runner.execute('print hello', {}, FRESH)
  expect(reply.content['status']).toBe('ok')
  expect(runner.published(reply.parent_header.msg_id as string)).toContain('stdout "hello\\n"')
  expect((await runner.execute('get x', {}, FRESH)).content).toMatchObject({ status: 'error', evalue: "no variable 'x'" })
  expect(notebook.replies(endless)).toHaveLength(0)
})

test('fresh runs go side by side up to the limit, then in order', async () => {
  const test = await testKernel({ limits: { freshConcurrency: 2 } })
  const client = await test.connect()
  const spinning = [client.sendExecute('spin', {}, FRESH), client.sendExecute('spin', {}, FRESH)]
  for (const id of spinning) await client.next('execute_input', id)
  const waiting = client.sendExecute('print third', {}, FRESH)
  const status = await client.request('control', 'kernel_status_request')
  expect(status.content['executions']).toMatchObject([{ state: 'running' }, { state: 'running' }, { msg_id: waiting, state: 'queued' }])
  await client.request('control', 'interrupt_request', {}, { llmspell: { execution: spinning[0] } })
  expect((await client.done(waiting)).content['status']).toBe('ok')
  expect(client.replies(spinning[1] as string)).toHaveLength(0)
})

test('one that fails aborts no other', async () => {
  const client = await (await testKernel({ limits: { freshConcurrency: 1 } })).connect()
  const failing = client.sendExecute('error boom', {}, FRESH)
  const next = client.sendExecute('print next', {}, FRESH)
  expect((await client.done(failing)).content['status']).toBe('error')
  expect((await client.done(next)).content['status']).toBe('ok')
})

test('the engine goes with its run, and a spare stands by', async () => {
  const test = await testKernel()
  const client = await test.connect()
  const engines = (): string[] => test.kernel.status().engines.map(({ namespace }) => namespace)
  expect(engines()).toEqual(['spare'])
  await client.execute('print a', {}, FRESH)
  expect(engines()).toEqual(['spare'])
  await client.execute('print a')
  expect(engines()).toEqual(['shared'])
  await client.execute('print a', {}, FRESH)
  expect(engines().toSorted()).toEqual(['shared', 'spare'])
})

test('what an engine says after its run has ended is not published', async () => {
  const echo = echoEngineFactory(['lua'])
  const spoken = Promise.withResolvers<void>()
  const test = await testKernel({
    engines: [
      {
        ...echo,
        create(host, options) {
          const engine = echo.create(host, options)
          const execute = engine.execute.bind(engine)
          engine.execute = async (request) => {
            setTimeout(() => {
              void host.output({ type: 'stream', executionId: request.executionId, name: 'stdout', text: 'ghost' })
              spoken.resolve()
            }, 10)
            return execute(request)
          }
          return engine
        },
      },
    ],
  })
  const client = await test.connect()
  const reply = await client.execute('print a', {}, FRESH)
  await spoken.promise
  await client.request('shell', 'kernel_info_request')
  expect(client.published(reply.parent_header.msg_id as string)).toEqual(['busy', 'input [1] print a', 'stdout "a\\n"', 'idle'])
})

test('spares are kept only as long as told', async () => {
  const test = await testKernel({ limits: { spareLifetime: 0 } })
  const client = await test.connect()
  await client.execute('print a', {}, FRESH)
  expect(test.kernel.status().engines).toEqual([])
})

test('runs are told to wait for what they started; cells are not', async () => {
  const drains: (boolean | undefined)[] = []
  const echo = echoEngineFactory(['lua'])
  const client = await (
    await testKernel({
      engines: [
        {
          ...echo,
          create(host, options) {
            const engine = echo.create(host, options)
            const execute = engine.execute.bind(engine)
            engine.execute = (request) => {
              drains.push(request.drain)
              return execute(request)
            }
            return engine
          },
        },
      ],
    })
  ).connect()
  await client.execute('print a')
  await client.execute('print a', {}, FRESH)
  expect(drains).toEqual([undefined, true])
})
