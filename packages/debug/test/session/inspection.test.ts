import type { Dap } from '@llmspell/dap'
import { describe, expect, it } from 'vitest'
import { code, line, toyKernels } from './fixture.ts'
import type { SessionClient, Stop } from './session-client.ts'

const kernel = toyKernels()

async function stoppedAt(
  name: 'data' | 'deep' | 'calls' | 'assign' | 'memory',
  mark: string,
  initialize: Partial<Dap.InitializeRequestArguments> = {},
): Promise<{ client: SessionClient; stop: Stop; path: string }> {
  const toy = kernel()
  const client = toy.client()
  const path = toy.write(`${name}.toy`, code(name))
  const base = initialize.linesStartAt1 === false ? 1 : 0
  await client.start('launch', { program: path }, () => client.breakAt(path, [line(name, mark) - base]), initialize)
  return { client, stop: await client.stop(), path }
}

describe('stack', () => {
  it('comes in parts, with the number of all', async () => {
    const { client, stop } = await stoppedAt('deep', 'deep')
    const whole = await client.ask('stackTrace', { threadId: stop.threadId })
    expect(whole.totalFrames).toBe(whole.stackFrames.length)
    const part = await client.ask('stackTrace', { threadId: stop.threadId, startFrame: 10, levels: 3 })
    expect(part.totalFrames).toBe(whole.totalFrames)
    expect(part.stackFrames.map(({ name, line: at }) => ({ name, at }))).toEqual(
      whole.stackFrames.slice(10, 13).map(({ name, line: at }) => ({ name, at })),
    )
    expect(part.stackFrames.every(({ canRestart }) => canRestart === true)).toBe(true)
    expect(whole.stackFrames.at(-1)?.canRestart).toBe(false)
    expect((await client.ask('stackTrace', { threadId: stop.threadId, startFrame: 100_000 })).stackFrames).toEqual([])
    expect((await client.refusal('stackTrace', { threadId: stop.threadId, startFrame: -1 })).text).toMatch(/must not be negative/)
  })

  it('counts from 0 for clients that do', async () => {
    const { client, stop, path } = await stoppedAt('calls', 'inner', { linesStartAt1: false, columnsStartAt1: false })
    expect(stop.frames[0]).toMatchObject({ line: line('calls', 'inner') - 1, column: 0, source: { path } })
    const [bound] = await client.breakAt(path, [line('calls', 'call') - 1])
    expect(bound?.line).toBe(line('calls', 'call') - 1)
    const { breakpoints } = await client.ask('breakpointLocations', { source: { path }, line: 0, endLine: 50 })
    expect(breakpoints[0]?.line).toBe(line('calls', 'inner') - 1)
    const { targets } = await client.ask('completions', { text: 'doub', column: 4, frameId: stop.frames[0]?.id ?? 0 })
    expect(targets).toEqual([])
    expect((await client.ask('completions', { text: 'n', column: 1, frameId: stop.frames[0]?.id ?? 0 })).targets).toMatchObject([
      { label: 'n', start: 0, length: 1 },
    ])
  })

  it('names sources by address for clients that do', async () => {
    const toy = kernel()
    const client = toy.client()
    const path = toy.write('größe 1#.toy', code('assign'))
    const address = `file://${path.split('/').map(encodeURIComponent).join('/')}`
    await client.start('launch', { program: address }, () => client.breakAt(address, [2]), { pathFormat: 'uri' })
    const stop = await client.stop()
    expect(stop.frames[0]?.source).toEqual({ name: 'größe 1#.toy', path: address })
  })
})

describe('variables', () => {
  it('open lazily', async () => {
    const { client, stop } = await stoppedAt('data', 'stop')
    const { scopes } = await client.ask('scopes', { frameId: stop.frames[0]?.id ?? 0 })
    expect(scopes).toMatchObject([{ name: 'Locals', presentationHint: 'locals', expensive: false }])
    const record = await client.variable(stop, 'record')
    expect(record).toMatchObject({ type: 'object', namedVariables: 3 })
    const { variables } = await client.ask('variables', { variablesReference: record.variablesReference })
    expect(variables.map(({ name }) => name)).toEqual(['name', 'nested', 'self'])
    expect(variables[1]).toMatchObject({ evaluateName: 'record.nested' })
  })

  it('come in pages, and the rest behind one entry for clients that ask for everything', async () => {
    const { client, stop } = await stoppedAt('data', 'stop')
    const list = await client.variable(stop, 'list')
    expect(list.indexedVariables).toBe(25_000)
    const of = (more: Partial<Dap.VariablesArguments>): Promise<Dap.Variable[]> =>
      client.ask('variables', { variablesReference: list.variablesReference, ...more }).then(({ variables }) => variables)
    expect(await of({ filter: 'indexed', start: 24_999, count: 10 })).toMatchObject([{ name: '24999', value: '250000' }])
    expect(await of({ filter: 'named' })).toEqual([])
    expect(await of({ start: 1_000_000 })).toEqual([])
    const first = await of({})
    expect(first).toHaveLength(10_001)
    const rest = first.at(-1)
    expect(rest).toMatchObject({ name: '[from 10000]', value: '15000 more' })
    const second = await client.ask('variables', { variablesReference: rest?.variablesReference ?? 0 })
    expect(second.variables[0]).toMatchObject({ name: '10000', value: '100010' })
    const third = await client.ask('variables', { variablesReference: second.variables.at(-1)?.variablesReference ?? 0 })
    expect(third.variables).toHaveLength(5_000)
    for (const wrong of [{ start: -1 }, { count: -1 }, { filter: 'some' }])
      expect((await client.refusal('variables', { variablesReference: list.variablesReference, ...wrong })).id).toBe(1001)
  })

  it('are shown in hexadecimal where that makes sense', async () => {
    const { client, stop } = await stoppedAt('data', 'stop')
    const frameId = stop.frames[0]?.id ?? 0
    const hex = { hex: true }
    expect((await client.ask('evaluate', { expression: '255', frameId, format: hex })).result).toBe('0xff')
    expect((await client.ask('evaluate', { expression: '0 - 255', frameId, format: hex })).result).toBe('-0xff')
    expect((await client.ask('evaluate', { expression: "'255'", frameId, format: hex })).result).toBe('255')
    expect((await client.ask('evaluate', { expression: '1.5', frameId, format: hex })).result).toBe('1.5')
    const list = await client.variable(stop, 'list')
    const { variables } = await client.ask('variables', { variablesReference: list.variablesReference, start: 1, count: 1, format: hex })
    expect(variables[0]?.value).toBe('0x14')
  })

  it('leave out what the client does not want', async () => {
    const { client, stop } = await stoppedAt('memory', 'stop', { supportsVariableType: false, supportsMemoryReferences: false })
    const bytes = await client.variable(stop, 'bytes')
    expect(bytes.type).toBeUndefined()
    expect(bytes.memoryReference).toBeUndefined()
  })

  it('can be changed, and views are told', async () => {
    const { client, stop } = await stoppedAt('assign', 'stop')
    const { scope } = await client.variable(stop, 'value')
    expect(await client.ask('setVariable', { variablesReference: scope, name: 'value', value: '6 * 7' })).toMatchObject({
      value: '42',
      type: 'number',
    })
    expect(await client.event('invalidated')).toMatchObject({ areas: ['variables'], threadId: stop.threadId })
    const frameId = stop.frames[0]?.id ?? 0
    expect(await client.ask('setExpression', { expression: 'value', value: 'value + 1', frameId })).toMatchObject({ value: '43' })
    expect((await client.refusal('setVariable', { variablesReference: scope, name: 'value', value: '1 +' })).id).toBe(1008)
    await client.ask('continue', { threadId: stop.threadId })
    await client.event('terminated')
    expect(client.output('stdout')).toBe('value 43\n')
  })

  it('are stale after the stop, and unknown before', async () => {
    const { client, stop } = await stoppedAt('data', 'stop')
    const record = await client.variable(stop, 'record')
    const next = await client.step(stop, 'next')
    const frameId = stop.frames[0]?.id
    const stale = /is of a stop that is over\nAsk for the stack again/
    expect((await client.refusal('variables', { variablesReference: record.variablesReference })).text).toMatch(stale)
    expect((await client.refusal('scopes', { frameId })).text).toMatch(stale)
    expect((await client.refusal('evaluate', { expression: '1', frameId })).text).toMatch(stale)
    expect((await client.refusal('setVariable', { variablesReference: record.scope, name: 'flag', value: '1' })).text).toMatch(stale)
    expect((await client.refusal('restartFrame', { frameId })).text).toMatch(stale)
    for (const wrong of [0, -1, 2 ** 31, 1_000_000]) {
      expect((await client.refusal('variables', { variablesReference: wrong })).text).toMatch(/there is no variablesReference/)
      expect((await client.refusal('scopes', { frameId: wrong })).text).toMatch(/there is no frameId/)
    }
    const own = next.frames[0]?.id ?? 0
    expect((await client.refusal('variables', { variablesReference: own })).text).toMatch(/names no variables but a stack frame/)
    const scope = (await client.variable(next, 'record')).scope
    expect((await client.refusal('scopes', { frameId: scope })).text).toMatch(/names no stack frame but variables/)
  })

  it('show memory', async () => {
    const { client, stop } = await stoppedAt('memory', 'stop')
    const { memoryReference = '' } = await client.variable(stop, 'bytes')
    expect(await client.ask('readMemory', { memoryReference, count: 4 })).toEqual({ address: '0', data: 'AQIDBA==' })
    expect(await client.ask('readMemory', { memoryReference, offset: 3, count: 4 })).toEqual({
      address: '3',
      data: 'BA==',
      unreadableBytes: 3,
    })
    expect(await client.ask('readMemory', { memoryReference, count: 0 })).toMatchObject({ data: '' })
    expect(await client.ask('readMemory', { memoryReference, offset: -8, count: 4 })).toEqual({ address: '-8', unreadableBytes: 4 })
    expect((await client.refusal('readMemory', { memoryReference, count: -1 })).id).toBe(1001)
    expect((await client.refusal('readMemory', { memoryReference: 'nothing', count: 1 })).text).toMatch(/no memory 'nothing'/)
  })
})

describe('evaluation', () => {
  it('computes in frames, and without one where it stopped', async () => {
    const { client, stop } = await stoppedAt('calls', 'inner')
    const evaluate = (expression: string, frame: number | undefined, context?: string): Promise<string> =>
      client
        .ask('evaluate', { expression, ...(frame !== undefined && { frameId: stop.frames[frame]?.id ?? 0 }), ...(context && { context }) })
        .then(({ result }) => result)
    expect(await evaluate('n', 0, 'watch')).toBe('3')
    expect(await evaluate('n + 1', 1, 'hover')).toBe('4')
    expect(await evaluate('inner', undefined, 'repl')).toBe('function')
    expect(await evaluate("'x'", 0, 'clipboard')).toBe('x')
    expect(await evaluate('n', 0, 'variables')).toBe('3')
    expect(await evaluate('n', 0, 'something new')).toBe('3')
    expect((await client.refusal('evaluate', { expression: 'n +', frameId: stop.frames[0]?.id })).id).toBe(1008)
    expect((await client.refusal('evaluate', { expression: '{missing}', frameId: stop.frames[0]?.id })).id).toBe(1008)
    expect((await client.refusal('evaluate', { expression: 'inner(1)', frameId: stop.frames[0]?.id, context: 'hover' })).id).toBe(1008)
  })

  it('completes, in text of several lines, too', async () => {
    const { client, stop } = await stoppedAt('data', 'stop')
    const frameId = stop.frames[0]?.id ?? 0
    const complete = (text: string, column: number, at?: number): Promise<Dap.CompletionItem[]> =>
      client.ask('completions', { text, column, frameId, ...(at !== undefined && { line: at }) }).then(({ targets }) => targets)
    expect(await complete('rec', 4)).toEqual([{ label: 'record', type: 'variable', start: 1, length: 3 }])
    expect(await complete('1\nrecord.n', 9, 2)).toMatchObject([
      { label: 'name', type: 'property', start: 10, length: 1 },
      { label: 'nested' },
    ])
    expect(await complete('rec', 400, 99)).toMatchObject([{ label: 'record' }])
    expect(await complete('rec', -5)).toBeInstanceOf(Array)
  })
})

describe('sources', () => {
  it('are listed, read and told', async () => {
    const { client, path } = await stoppedAt('data', 'stop')
    expect(client.all('loadedSource').map(({ body }) => body)).toEqual([{ reason: 'new', source: { name: 'data.toy', path } }])
    expect(await client.ask('loadedSources')).toEqual({ sources: [{ name: 'data.toy', path }] })
    expect(await client.ask('modules', {})).toMatchObject({ modules: [{ id: path, name: 'data.toy', path }], totalModules: 1 })
    expect(await client.ask('modules', { startModule: 1, moduleCount: 5 })).toEqual({ modules: [], totalModules: 1 })
    expect(await client.ask('source', { source: { path }, sourceReference: 0 })).toMatchObject({ content: code('data') })
    expect((await client.refusal('source', { source: { path: '/missing' }, sourceReference: 0 })).id).toBe(1007)
    expect((await client.refusal('source', { sourceReference: 77 })).text).toMatch(/no sourceReference 77/)
    expect((await client.refusal('source', { source: {}, sourceReference: 0 })).text).toMatch(/path or a sourceReference/)
  })

  it('that are cells are read by reference', async () => {
    const toy = kernel()
    const slot = toy.addShared()
    const client = toy.client()
    await client.start('attach', {})
    await toy.cell(slot, code('assign'))
    const { source } = await client.event('loadedSource')
    expect(source).toMatchObject({ origin: 'cell', path: expect.stringContaining(toy.cells.prefix), sourceReference: 1 })
    expect(await client.ask('source', { source, sourceReference: source.sourceReference ?? 0 })).toEqual({ content: code('assign') })
    await toy.cell(slot, code('assign'))
    expect(client.all('loadedSource')).toHaveLength(1)
    const { sourcePath } = await client.ask('dumpCell', { code: code('assign') })
    expect(sourcePath).toBe(source.path)
    await client.breakAt(sourcePath, [2])
    const run = toy.cell(slot, code('assign'))
    const stop = await client.stop()
    expect(stop.frames[0]?.source).toEqual({ name: source.name, path: sourcePath })
    await client.ask('continue', { threadId: stop.threadId })
    await run
  })
})
