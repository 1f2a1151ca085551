import { codeOf } from '@llmspell/base'
import type { ClientTransport } from '@llmspell/jupyter'
import { afterEach, describe, expect, it } from 'vitest'
import { KernelClient, type KernelClientOptions } from '../src/kernel-client.ts'
import type { Output } from '../src/output.ts'
import { ManualClock, ScriptedKernel } from './support/scripted-kernel.ts'

const clients: KernelClient[] = []

async function connected(options: Partial<KernelClientOptions> = {}): Promise<{ kernel: ScriptedKernel; client: KernelClient }> {
  const kernel = new ScriptedKernel()
  const client = await KernelClient.connect({ transport: kernel.transport, ...options })
  clients.push(client)
  return { kernel, client }
}

const codeOfRejection = (promise: Promise<unknown>): Promise<string | undefined> =>
  promise.then(
    () => 'it resolved',
    (error) => codeOf(error),
  )

afterEach(async () => {
  for (const client of clients.splice(0)) await client.close()
})

describe('execute', () => {
  it('ends after the last output, also when the reply overtakes it', async () => {
    const { kernel, client } = await connected()
    const execution = client.execute('print(1)')
    const request = await kernel.next('execute_request')
    kernel.status(request, 'busy')
    kernel.publish(request, 'stream', { name: 'stdout', text: 'one\n' })
    kernel.answer(request, 'shell', 'execute_reply', { status: 'ok', execution_count: 1 })
    kernel.publish(request, 'stream', { name: 'stderr', text: 'two\n' })
    let over = false
    void execution.done.then(() => {
      over = true
    })
    await execution.reply
    expect(over).toBe(false)
    kernel.status(request, 'idle')
    expect(await execution.done).toEqual({ status: 'ok', execution_count: 1 })
    const outputs: Output[] = []
    for await (const output of execution) outputs.push(output)
    expect(outputs).toEqual([
      { type: 'stream', name: 'stdout', text: 'one\n' },
      { type: 'stream', name: 'stderr', text: 'two\n' },
    ])
  })

  it('ends when idle overtakes the reply', async () => {
    const { kernel, client } = await connected()
    const execution = client.execute('1')
    const request = await kernel.next('execute_request')
    kernel.status(request, 'idle')
    kernel.answer(request, 'shell', 'execute_reply', { status: 'ok', execution_count: 1 })
    expect((await execution.done).status).toBe('ok')
  })

  it('gives each of two executions its own outputs', async () => {
    const { kernel, client } = await connected()
    const seen: Record<string, string> = { a: '', b: '' }
    const collect = (name: string) => (output: Output) => {
      if (output.type === 'stream') seen[name] += output.text
    }
    const a = client.execute('a', { onOutput: collect('a') })
    const b = client.execute('b', { onOutput: collect('b') })
    const [first, second] = [await kernel.next('execute_request'), await kernel.next('execute_request')]
    kernel.publish(second, 'stream', { name: 'stdout', text: 'B' })
    kernel.publish(first, 'stream', { name: 'stdout', text: 'A' })
    for (const request of [second, first]) {
      kernel.answer(request, 'shell', 'execute_reply', { status: 'ok', execution_count: 1 })
      kernel.status(request, 'idle')
    }
    await Promise.all([a.done, b.done])
    expect(seen).toEqual({ a: 'A', b: 'B' })
  })

  it('sends what llmspell adds in the metadata, and nothing of it to a plain call', async () => {
    const { kernel, client } = await connected()
    client.execute('x', { language: 'lua', namespace: 'fresh', source: '/a.lua', args: ['1'], cwd: '/w' })
    client.execute('y', { silent: true })
    const [rich, plain] = [await kernel.next('execute_request'), await kernel.next('execute_request')]
    expect(rich.metadata).toEqual({ llmspell: { language: 'lua', namespace: 'fresh', source: '/a.lua', args: ['1'], cwd: '/w' } })
    expect(plain.metadata).toEqual({})
    expect(plain.content).toMatchObject({ silent: true, store_history: false, allow_stdin: false })
  })

  it('takes an aborted reply as the end without waiting for idle', async () => {
    const { kernel, client } = await connected()
    const execution = client.execute('x')
    kernel.answer(await kernel.next('execute_request'), 'shell', 'execute_reply', { status: 'aborted' })
    expect(await execution.done).toEqual({ status: 'aborted' })
  })

  it('answers input with the request as parent', async () => {
    const { kernel, client } = await connected()
    client.execute('input()', { onInput: async ({ prompt, password }) => `${prompt}${password}` })
    const request = await kernel.next('execute_request')
    expect(request.content['allow_stdin']).toBe(true)
    kernel.answer(request, 'stdin', 'input_request', { prompt: 'name? ', password: true })
    const reply = await kernel.next('input_reply')
    expect(reply.content).toEqual({ value: 'name? true' })
    expect((reply.parent_header as { msg_type: string }).msg_type).toBe('input_request')
  })

  it('sends no answer to input when the execution ended first', async () => {
    const { kernel, client } = await connected()
    const execution = client.execute('input()', {
      onInput: (_request, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve('late'))),
    })
    const request = await kernel.next('execute_request')
    kernel.answer(request, 'stdin', 'input_request', { prompt: '', password: false })
    kernel.answer(request, 'shell', 'execute_reply', { status: 'error', ename: 'Interrupted', evalue: '', traceback: [] })
    kernel.status(request, 'idle')
    await execution.done
    await new Promise((resolve) => setImmediate(resolve))
    expect(kernel.received).toEqual([])
  })
})

describe('requests', () => {
  it('converts cursor positions between UTF-16 and code points', async () => {
    const { kernel, client } = await connected()
    const code = '"😀".le'
    const completion = client.complete(code, code.length, { language: 'javascript' })
    const request = await kernel.next('complete_request')
    expect(request.content['cursor_pos']).toBe(6)
    expect(request.metadata).toEqual({ llmspell: { language: 'javascript' } })
    kernel.answer(request, 'shell', 'complete_reply', { status: 'ok', matches: ['length'], cursor_start: 4, cursor_end: 6, metadata: {} })
    expect(await completion).toEqual({ matches: ['length'], start: 5, end: 7, metadata: {} })
  })

  it('tells a refusal from an answer', async () => {
    const { kernel, client } = await connected()
    const asked = client.status()
    kernel.answer(await kernel.next('kernel_status_request'), 'control', 'kernel_status_reply', {
      status: 'error',
      ename: 'UnknownMessage',
      evalue: 'no such request',
      traceback: [],
    })
    await expect(asked).rejects.toMatchObject({ code: 'kernel.request_failed', message: /no such request/ })
  })

  it('times out with the name of the request and leaves nothing behind', async () => {
    const clock = new ManualClock()
    const { client } = await connected({ clock, requestTimeoutMs: 500 })
    const asked = codeOfRejection(client.kernelInfo())
    await clock.pass(600)
    expect(await asked).toBe('kernel.request_timeout')
    expect(clock.pending).toBe(0)
  })

  it('names stop in the metadata of shutdown and reads the honest reply', async () => {
    const { kernel, client } = await connected()
    const asked = client.shutdown()
    const request = await kernel.next('shutdown_request')
    expect(request.metadata).toEqual({})
    kernel.answer(request, 'control', 'shutdown_reply', { status: 'ok', restart: false, llmspell: { detached: true } })
    expect(await asked).toEqual({ detached: true })
    void client.shutdown({ stop: true }).catch(() => {})
    expect((await kernel.next('shutdown_request')).metadata).toEqual({ llmspell: { stop: true } })
  })
})

describe('a kernel that goes away', () => {
  it('tells of a death also when nothing can be found out about it', async () => {
    const clock = new ManualClock()
    let alive = true
    const deathHint = () => Promise.reject(new Error('no log'))
    const { client } = await connected({ clock, isProcessAlive: () => alive, deathHint })
    const execution = client.execute('1')
    alive = false
    await clock.pass(1_000)
    expect(await codeOfRejection(execution.done)).toBe('kernel.died')
  })

  it('stops watching when it is closed by whoever was told that the heartbeat is late', async () => {
    const clock = new ManualClock()
    const kernel = new ScriptedKernel()
    const told: boolean[] = []
    const client: KernelClient = await KernelClient.connect({
      transport: kernel.transport,
      clock,
      onUnresponsive(late) {
        told.push(late)
        void client.close()
      },
    })
    kernel.holdHeartbeats()
    const execution = client.execute('1')
    await clock.pass(20_000)
    expect(told).toEqual([true])
    expect(await codeOfRejection(execution.done)).toBe('client.closed')
    expect(clock.pending).toBe(0)
  })

  it('forgets a request that its carrier could not send', async () => {
    const clock = new ManualClock()
    const kernel = new ScriptedKernel()
    const transport: ClientTransport = {
      ...kernel.transport,
      send: () => {
        throw new TypeError('cannot be written')
      },
    }
    const client = await KernelClient.connect({ transport, clock })
    clients.push(client)
    await expect(client.status()).rejects.toThrow('cannot be written')
    expect(clock.pending).toBe(0)
  })

  it('ends all that waits when its process is gone', async () => {
    const clock = new ManualClock()
    let alive = true
    const { client } = await connected({ clock, isProcessAlive: () => alive })
    const execution = client.execute('for(;;);')
    const asked = codeOfRejection(client.complete('x', 1))
    await clock.pass(1_000)
    expect(client.gone).toBeUndefined()
    alive = false
    await clock.pass(1_000)
    expect(await codeOfRejection(execution.done)).toBe('kernel.died')
    expect(await asked).toBe('kernel.died')
    expect(await codeOfRejection(client.status())).toBe('kernel.died')
    expect(await codeOfRejection(client.execute('1').done)).toBe('kernel.died')
    await expect(
      (async () => {
        for await (const _ of execution);
      })(),
    ).rejects.toMatchObject({ code: 'kernel.died' })
  })

  it('waits for a busy kernel as long as its heart beats', async () => {
    const clock = new ManualClock()
    const { client } = await connected({ clock })
    const execution = client.execute('for(;;);')
    await clock.pass(3_600_000)
    expect(client.gone).toBeUndefined()
    expect(execution.ended.aborted).toBe(false)
  })

  it('warns when a heartbeat is late, recovers, and gives up on a kernel that stays silent', async () => {
    const clock = new ManualClock()
    const told: boolean[] = []
    const { kernel, client } = await connected({ clock, onUnresponsive: (unresponsive) => told.push(unresponsive) })
    const execution = client.execute('x')
    kernel.holdHeartbeats()
    await clock.pass(10_000)
    expect(told).toEqual([])
    await clock.pass(10_000)
    expect(told).toEqual([true])
    kernel.releaseHeartbeats()
    await clock.pass(5_000)
    expect(told).toEqual([true, false])
    kernel.holdHeartbeats()
    await clock.pass(70_000)
    expect(await codeOfRejection(execution.done)).toBe('kernel.unresponsive')
  })

  it('does not wait for ever for an idle status that was lost', async () => {
    const clock = new ManualClock()
    const { kernel, client } = await connected({ clock, idleTimeoutMs: 1_000 })
    const execution = client.execute('x')
    const request = await kernel.next('execute_request')
    kernel.answer(request, 'shell', 'execute_reply', { status: 'ok', execution_count: 1 })
    await clock.pass(900)
    kernel.publish(request, 'stream', { name: 'stdout', text: 'still coming' })
    await clock.pass(900)
    expect(execution.ended.aborted).toBe(false)
    await clock.pass(200)
    expect(await codeOfRejection(execution.done)).toBe('kernel.output_incomplete')
  })

  it('reports a broken connection as the death of the kernel', async () => {
    const { kernel, client } = await connected()
    const execution = client.execute('x')
    kernel.breakConnection(new Error('socket reset'))
    await expect(execution.done).rejects.toMatchObject({ code: 'kernel.died', message: /socket reset/ })
  })

  it('fails to connect with a named time-out, or at once when the process is gone', async () => {
    for (const [alive, code] of [
      [true, 'kernel.connect_failed'],
      [false, 'kernel.died'],
    ] as const) {
      const kernel = new ScriptedKernel()
      kernel.opens = false
      const clock = new ManualClock()
      const connecting = codeOfRejection(
        KernelClient.connect({ transport: kernel.transport, clock, connectTimeoutMs: 1_000, isProcessAlive: () => alive }),
      )
      await clock.pass(1_100)
      expect(await connecting).toBe(code)
    }
  })
})

it('ends what is under way when the client is closed, and leaves no timer', async () => {
  const clock = new ManualClock()
  const { client } = await connected({ clock })
  const execution = client.execute('x')
  const asked = codeOfRejection(client.status())
  await client.close()
  expect(await codeOfRejection(execution.done)).toBe('client.closed')
  expect(await asked).toBe('client.closed')
  expect(clock.pending).toBe(0)
})
