import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { code, line, toyKernels } from './fixture.ts'
import type { SessionClient } from './session-client.ts'

const kernel = toyKernels()
const MEGABYTE = 2 ** 20

const commands = [
  'initialize',
  'launch',
  'attach',
  'configurationDone',
  'setBreakpoints',
  'setFunctionBreakpoints',
  'setExceptionBreakpoints',
  'breakpointLocations',
  'setDataBreakpoints',
  'dataBreakpointInfo',
  'continue',
  'next',
  'stepIn',
  'stepOut',
  'stepBack',
  'reverseContinue',
  'restartFrame',
  'goto',
  'gotoTargets',
  'pause',
  'threads',
  'stackTrace',
  'scopes',
  'variables',
  'setVariable',
  'setExpression',
  'evaluate',
  'completions',
  'exceptionInfo',
  'loadedSources',
  'source',
  'modules',
  'readMemory',
  'writeMemory',
  'disassemble',
  'terminateThreads',
  'stepInTargets',
  'cancel',
  'debugInfo',
  'dumpCell',
  'inspectVariables',
  'richInspectVariables',
  'copyToGlobals',
  'runInTerminal',
  'locations',
  '__proto__',
  'constructor',
  'toString',
  '',
  'no such command',
]

const odd = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    -1,
    0,
    1,
    1.5,
    2 ** 31,
    2 ** 53,
    1e300,
    Number.NaN,
    '',
    '1',
    [],
    {},
    [null],
    { line: 'x' },
    { path: 5 },
    { path: '/a.toy' },
  ),
  fc.string(),
  fc.integer(),
)

const argumentNames = [
  'threadId',
  'frameId',
  'variablesReference',
  'source',
  'breakpoints',
  'lines',
  'filters',
  'filterOptions',
  'expression',
  'value',
  'name',
  'start',
  'count',
  'filter',
  'format',
  'context',
  'text',
  'column',
  'line',
  'sourceReference',
  'memoryReference',
  'offset',
  'levels',
  'startFrame',
  'program',
  'run',
  'code',
  'variableName',
  'srcFrameId',
  'srcVariableName',
  'dstVariableName',
  'requestId',
  'adapterID',
]

/** Asks, and sees that there is exactly one answer, of the right form. */
async function isAnswered(client: SessionClient, command: string, args: unknown): Promise<void> {
  const before = client.received.filter(({ type }) => type === 'response').length
  const { success, message, body, command: named } = await client.answer(command, args)
  expect(named).toBe(command)
  if (!success) {
    expect(typeof message).toBe('string')
    expect((message ?? '').length).toBeLessThan(10_000)
    expect((body as { error?: unknown } | undefined)?.error ?? message).toBeTruthy()
  }
  expect(client.received.filter(({ type }) => type === 'response')).toHaveLength(before + 1)
}

describe('bad input', () => {
  for (const phase of ['before initialize', 'before launch', 'while it stands still', 'after the end'] as const)
    it(`is answered ${phase}, whatever it is`, { timeout: 120_000 }, async () => {
      const toy = kernel()
      const args = fc.oneof(odd, fc.dictionary(fc.constantFrom(...argumentNames), odd))
      const request = fc.tuple(fc.constantFrom(...commands), args)
      await fc.assert(
        fc.asyncProperty(fc.array(request, { maxLength: 12 }), async (requests) => {
          const client = toy.client()
          const path = toy.write('loop.toy', code('loop'))
          if (phase === 'before launch') await client.initialize()
          if (phase === 'while it stands still') {
            await client.start('launch', { program: path }, () => client.breakAt(path, [line('loop', 'body')]))
            await client.stop()
          }
          if (phase === 'after the end') {
            await client.start('launch', { program: path })
            await client.event('terminated')
          }
          for (const [command, given] of requests) {
            // What is accepted waits for its configuration.
            if (command === 'attach' || command === 'launch') continue
            await isAnswered(client, command, given)
          }
          client.session.closed('vanished')
        }),
        { numRuns: 60 },
      )
    })

  it('that is no message is dropped', () => {
    const toy = kernel()
    const client = toy.client()
    for (const message of [
      null,
      undefined,
      5,
      'text',
      [],
      {},
      { type: 'request' },
      { type: 'request', seq: 'x', command: 'threads' },
      { type: 'response', request_seq: 5, seq: 1, success: true, command: 'x' },
    ])
      client.session.receive(message)
    expect(client.received).toEqual([])
  })

  it('of wrong types is refused by name', async () => {
    const toy = kernel()
    const client = toy.client()
    await client.initialize()
    for (const [command, args, why] of [
      [
        'setBreakpoints',
        { source: { path: '/a' }, breakpoints: [{ line: 'three' }] },
        /breakpoints\[0\]\.line must be a whole number, not a string/,
      ],
      ['setBreakpoints', { source: { path: '/a' }, breakpoints: {} }, /breakpoints must be a list/],
      ['setBreakpoints', { breakpoints: [] }, /source is missing/],
      ['setBreakpoints', { source: {} }, /source must have a path or a sourceReference/],
      ['setBreakpoints', { source: { sourceReference: 5 } }, /no sourceReference 5/],
      ['setBreakpoints', { source: { path: 'file://%%%' } }, /no address of a file/],
      ['setFunctionBreakpoints', {}, /breakpoints is missing/],
      ['setExceptionBreakpoints', { filters: [5] }, /filters\[0\] must be a string/],
      ['nonsense', {}, /unknown command "nonsense"/],
      ['writeMemory', { memoryReference: '1', data: '' }, /not supported/],
      ['goto', { threadId: 1, targetId: 1 }, /not supported/],
    ] as const)
      expect((await client.refusal(command, args)).text, command).toMatch(why)
  })

  it('of a hundred megabytes is answered', { timeout: 120_000 }, async () => {
    const toy = kernel()
    const client = toy.client()
    const path = toy.write('assign.toy', code('assign'))
    await client.start('launch', { program: path }, () => client.breakAt(path, [2]))
    const stop = await client.stop()
    const huge = 'x'.repeat(100 * MEGABYTE)
    const frameId = stop.frames[0]?.id ?? 0
    expect((await client.refusal('evaluate', { expression: huge, frameId })).text.length).toBeLessThan(5000)
    expect((await client.refusal(huge, {})).text.length).toBeLessThan(5000)
    expect((await client.ask('evaluate', { expression: "repeat('x', 100000000)", frameId })).result.length).toBeLessThan(1000)
    expect(await client.breakAt(path, [{ line: 2, hitCondition: huge }])).toMatchObject([{ verified: false }])
    expect((await client.breakAt(path, [{ line: 2, hitCondition: huge }]))[0]?.message?.length).toBeLessThan(1000)
    expect((await client.refusal('source', { source: { path: `/${huge}` }, sourceReference: 0 })).text.length).toBeLessThan(5000)
    await client.ask('continue', { threadId: stop.threadId })
    await client.event('terminated')
  })

  it('of a thousand requests at once is answered in order', async () => {
    const toy = kernel()
    const client = toy.client()
    const path = toy.write('assign.toy', code('assign'))
    await client.start('launch', { program: path }, () => client.breakAt(path, [2]))
    const stop = await client.stop()
    const answers = await Promise.all(Array.from({ length: 1000 }, () => client.answer('stackTrace', { threadId: stop.threadId })))
    expect(answers.every(({ success }) => success)).toBe(true)
    const seqs = answers.map(({ request_seq }) => request_seq)
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b))
  })
})
