import { LlmspellError } from '@llmspell/base'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Endpoint, type EndpointOptions } from '../src/endpoint.ts'
import { argumentShapes } from '../src/protocol.generated.ts'
import type * as Dap from '../src/protocol.ts'

/** An endpoint with what it sent. */
function start(options: Omit<EndpointOptions, 'send'> = {}): {
  endpoint: Endpoint
  sent: Dap.ProtocolMessage[]
  problems: LlmspellError[]
} {
  const sent: Dap.ProtocolMessage[] = []
  const problems: LlmspellError[] = []
  const endpoint = new Endpoint({ send: (message) => sent.push(message), onProblem: (problem) => problems.push(problem), ...options })
  return { endpoint, sent, problems }
}

const request = (seq: number, command: string, args?: unknown): Dap.Request => ({ seq, type: 'request', command, arguments: args })

async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
}

describe('requests that arrive', () => {
  test('are answered with the number of the request, numbered themselves', async () => {
    const { endpoint, sent } = start({
      handlers: { threads: () => ({ threads: [] }), next: async () => {} },
    })
    endpoint.receive(request(7, 'threads'))
    endpoint.receive(request(9, 'next', { threadId: 1 }))
    await settled()
    expect(sent).toEqual([
      { seq: 1, type: 'response', request_seq: 7, success: true, command: 'threads', body: { threads: [] } },
      { seq: 2, type: 'response', request_seq: 9, success: true, command: 'next' },
    ])
  })

  test.each([
    ['an unknown command', request(1, 'dance'), 'unknown command "dance"'],
    ['a command that is not handled', request(1, 'readMemory', { memoryReference: 'x', count: 1 }), '"readMemory" is not supported'],
    ['a name of every object', request(1, 'constructor'), 'unknown command "constructor"'],
    ['bad arguments', request(1, 'next', { threadId: 'x' }), 'next: arguments.threadId must be a whole number'],
    ['a handler that throws', request(1, 'threads'), 'no threads today'],
    ['a handler that rejects', request(1, 'stepIn', { threadId: 1 }), 'too late\nCome earlier.'],
    ['a handler that throws no error', request(1, 'stepOut', { threadId: 1 }), 'just words'],
    ['a body that is no JSON', request(1, 'pause', { threadId: 1 }), 'BigInt'],
  ])('%s is an error response', async (_, message, words) => {
    const { endpoint, sent } = start({
      handlers: {
        next: () => {},
        threads() {
          throw new Error('no threads today')
        },
        stepIn: async () => {
          throw new LlmspellError('too late', { code: 'x.late', hint: 'Come earlier.' })
        },
        stepOut: () => Promise.reject('just words'),
        pause: () => ({ id: 1n }) as unknown as undefined,
      },
      send(answer) {
        JSON.stringify(answer)
        sent.push(answer)
      },
    } as Omit<EndpointOptions, 'send'>)
    endpoint.receive(message)
    await settled()
    expect(sent).toHaveLength(1)
    const [response] = sent as [Dap.Response]
    expect(response).toMatchObject({ type: 'response', request_seq: 1, success: false, command: message.command })
    expect((response.body as Dap.ErrorResponseBody).error?.format).toContain(words)
    expect(response.message).toContain(words.split('\n')[0])
  })

  test('are handled at the same time and answered as they finish', async () => {
    const slow = Promise.withResolvers<undefined>()
    const { endpoint, sent } = start({ handlers: { evaluate: () => slow.promise as never, threads: () => ({ threads: [] }) } })
    endpoint.receive(request(1, 'evaluate', { expression: 'x' }))
    endpoint.receive(request(2, 'threads'))
    slow.resolve(undefined)
    await settled()
    expect(sent.map((message) => (message as Dap.Response).request_seq)).toEqual([2, 1])
  })

  test('may be followed by events', async () => {
    const { endpoint, sent } = start({
      handlers: {
        async initialize(_, { afterResponse }) {
          afterResponse(() => endpoint.event('initialized'))
          return {}
        },
      },
    })
    endpoint.receive(request(1, 'initialize', { adapterID: 'x' }))
    await settled()
    expect(sent.map((message) => message.type)).toEqual(['response', 'event'])
  })

  test.each([
    ['success', async () => ({ threads: [] }), false, ['response', 'given back']],
    ['failure', () => Promise.reject(new Error('no')), false, ['response', 'given back']],
    ['a connection that closed meanwhile', async () => ({ threads: [] }), true, ['given back']],
  ])('give back what they took after %s', async (_, handle, closes, expected) => {
    const seen: string[] = []
    const endpoint = new Endpoint({
      send: ({ type }) => seen.push(type),
      handlers: {
        threads(_args, { afterResponse, afterHandling }) {
          afterHandling(() => seen.push('given back'))
          if (closes) afterResponse(() => seen.push('answered'))
          return handle()
        },
      },
    })
    endpoint.receive(request(1, 'threads'))
    if (closes) endpoint.close()
    await settled()
    expect(seen).toEqual(expected)
  })

  test('of an adapter of its own are handled, too', async () => {
    const { endpoint, sent } = start({ handleUnknown: (command) => (command === 'own' ? (args) => ({ args }) : undefined) })
    endpoint.receive(request(1, 'own', 5))
    endpoint.receive(request(2, 'other'))
    expect(sent).toMatchObject([{ success: true, body: { args: 5 } }, { success: false }])
  })
})

describe('cancelling', () => {
  test('answers at once, also what its handler never ends; what comes late is not sent', async () => {
    const late = Promise.withResolvers<void>()
    const { endpoint, sent } = start({ handlers: { evaluate: () => new Promise(() => {}), pause: () => late.promise } })
    endpoint.receive(request(1, 'evaluate', { expression: 'x' }))
    endpoint.receive(request(2, 'pause', { threadId: 1 }))
    endpoint.receive(request(3, 'cancel', { requestId: 1 }))
    endpoint.receive(request(4, 'cancel', { requestId: 2 }))
    late.resolve()
    await settled()
    expect(sent).toMatchObject([
      { request_seq: 1, success: false, message: 'cancelled' },
      { request_seq: 3, success: true },
      { request_seq: 2, success: false, message: 'cancelled' },
      { request_seq: 4, success: true },
    ])
  })

  test('aborts the handler; the request and the cancelling are answered once each', async () => {
    const { endpoint, sent } = start({
      handlers: {
        evaluate: (_, { signal }) =>
          new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error(`stopped: ${signal.reason.message}`)))),
      },
    })
    endpoint.receive(request(1, 'evaluate', { expression: 'x' }))
    endpoint.receive(request(2, 'cancel', { requestId: 1 }))
    endpoint.receive(request(3, 'cancel', { requestId: 1 }))
    endpoint.receive(request(4, 'cancel'))
    await settled()
    expect(sent.map((message) => message.type)).toEqual(['response', 'response', 'response', 'response'])
    expect(sent.find((message) => (message as Dap.Response).request_seq === 1)).toMatchObject({ success: false, message: 'cancelled' })
    expect(sent.filter((message) => (message as Dap.Response).success)).toHaveLength(3)
  })

  test('reaches a progress', () => {
    const stopped: string[] = []
    const { endpoint } = start({ onCancelProgress: (id) => stopped.push(id) })
    endpoint.receive(request(1, 'cancel', { progressId: 'p' }))
    expect(stopped).toEqual(['p'])
  })

  test('what was asked tells the other side and rejects at once', async () => {
    const { endpoint, sent, problems } = start()
    const aborter = new AbortController()
    const asked = endpoint.request('evaluate', { expression: 'x' }, { signal: aborter.signal, cancels: true })
    aborter.abort()
    await expect(asked).rejects.toMatchObject({ code: 'dap.cancelled' })
    expect(sent[1]).toMatchObject({ command: 'cancel', arguments: { requestId: 1 } })
    endpoint.receive({ seq: 1, type: 'response', request_seq: 1, success: false, command: 'evaluate', message: 'cancelled' })
    expect(problems).toHaveLength(1)
  })
})

describe('what is asked of the other side', () => {
  test('resolves with the body', async () => {
    const { endpoint, sent } = start()
    const asked = endpoint.request('runInTerminal', { cwd: '/', args: ['ls'] })
    expect(sent).toEqual([{ seq: 1, type: 'request', command: 'runInTerminal', arguments: { cwd: '/', args: ['ls'] } }])
    endpoint.receive({ seq: 1, type: 'response', request_seq: 1, success: true, command: 'runInTerminal', body: { processId: 3 } })
    expect(await asked).toEqual({ processId: 3 })
  })

  test('may be answered before it is sent wholly', async () => {
    const endpoint: Endpoint = new Endpoint({
      send: (message) => endpoint.receive({ seq: 1, type: 'response', request_seq: message.seq, success: true, command: 'threads' }),
    })
    expect(await endpoint.request('threads')).toBeUndefined()
  })

  test('rejects what is no JSON', async () => {
    const { endpoint } = start({ send: (message: unknown) => JSON.stringify(message) } as Omit<EndpointOptions, 'send'>)
    await expect(endpoint.requestUntyped('x', { n: 1n })).rejects.toThrow('BigInt')
  })

  test.each([
    [{ message: 'no', body: { error: { id: 1, format: 'no {what} {here}', variables: { what: 'way' } } } }, 'no way {here}'],
    [{ message: 'only this' }, 'only this'],
    [{ body: null }, 'threads failed'],
    [{ body: { error: {} } }, 'threads failed'],
  ])('rejects with what the other side says: %j', async (answer, words) => {
    const { endpoint } = start()
    const asked = endpoint.request('threads')
    endpoint.receive({ seq: 1, type: 'response', request_seq: 1, success: false, command: 'threads', ...answer })
    await expect(asked).rejects.toMatchObject({ code: 'dap.request_failed', message: words })
  })

  test('fails when the endpoint closes, and so does all that comes later', async () => {
    const signals: AbortSignal[] = []
    const { endpoint, sent } = start({
      handlers: {
        evaluate: (_, { signal }) => {
          signals.push(signal)
          return new Promise(() => {})
        },
      },
    })
    const asked = endpoint.request('threads')
    endpoint.receive(request(1, 'evaluate', { expression: 'x' }))
    const before = sent.length
    endpoint.close('the plug was pulled')
    await expect(asked).rejects.toMatchObject({ code: 'dap.closed', message: 'threads was not answered: the plug was pulled' })
    await expect(endpoint.request('threads')).rejects.toMatchObject({ code: 'dap.closed' })
    expect(signals[0]?.aborted).toBe(true)
    endpoint.receive(request(2, 'threads'))
    endpoint.event('initialized')
    expect(sent).toHaveLength(before)
  })
})

test('what is no message is told, and the rest goes on', () => {
  const { endpoint, sent, problems } = start({ handlers: { threads: () => ({ threads: [] }) } })
  const bad = [
    null,
    7,
    'x',
    [],
    {},
    { type: 'request' },
    { type: 'request', seq: 1 },
    { type: 'response', request_seq: 1 },
    { type: 'event' },
  ]
  for (const message of bad) endpoint.receive(message)
  expect(problems).toHaveLength(bad.length)
  endpoint.receive(request(1, 'threads'))
  expect(sent).toHaveLength(1)
})

test('whatever comes, each request is answered exactly once and nothing throws', async () => {
  const command = fc.oneof(fc.constantFrom(...Object.keys(argumentShapes)), fc.string())
  const args = fc.oneof(
    fc.jsonValue(),
    fc.record({ threadId: fc.jsonValue(), frameId: fc.jsonValue(), source: fc.jsonValue(), requestId: fc.nat(20) }),
  )
  const request_ = fc.record(
    { type: fc.constant('request'), seq: fc.nat(20), command, arguments: args },
    { requiredKeys: ['type', 'seq', 'command'] },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(request_, fc.jsonValue()), { maxLength: 20 }), async (messages) => {
      const handle = (_: unknown, { signal }: { signal: AbortSignal }): Promise<never> =>
        Promise.reject(signal.aborted ? signal.reason : new Error('no'))
      const { endpoint, sent } = start({
        handleUnknown: (name) => (name.length % 2 === 0 ? handle : undefined),
        onCancelProgress: () => {},
      })
      const asked = messages.filter((message) => (message as Dap.Request | null)?.type === 'request') as Dap.Request[]
      for (const message of messages) endpoint.receive(structuredClone(message))
      await settled()
      const answered = sent.map((message) => (message as Dap.Response).request_seq)
      expect(answered.sort((a, b) => a - b)).toEqual(asked.map(({ seq }) => seq).sort((a, b) => a - b))
      expect(sent.map(({ seq }) => seq)).toEqual(sent.map((_, index) => index + 1))
    }),
  )
})
