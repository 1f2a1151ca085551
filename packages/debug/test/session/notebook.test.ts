import { LlmspellError } from '@llmspell/base'
import type { Dap } from '@llmspell/dap'
import { describe, expect, it } from 'vitest'
import { cellSource } from '../../src/index.ts'
import { code, line, toyKernels } from './fixture.ts'

const kernel = toyKernels()

/** What a notebook of JupyterLab asks, in its order. */
const LAB = {
  clientID: 'jupyterlab',
  clientName: 'JupyterLab',
  adapterID: 'llmspell-lua',
  supportsVariablePaging: true,
  supportsRunInTerminalRequest: true,
}

describe('a notebook', () => {
  it('debugs a cell: attach is answered at once, the cell is known by its hash', async () => {
    const toy = kernel()
    const slot = toy.addShared('Toy')
    const client = toy.client('jupyter')
    expect(await client.ask('debugInfo')).toEqual({
      isStarted: false,
      hashMethod: 'Murmur2',
      hashSeed: toy.cells.seed,
      tmpFilePrefix: toy.cells.prefix,
      tmpFileSuffix: toy.cells.suffix,
      breakpoints: [],
      stoppedThreads: [],
      richRendering: true,
      exceptionPaths: [],
      copyToGlobals: true,
    })
    await client.ask('initialize', LAB)
    await client.event('initialized')
    await client.ask('attach', {})
    const text = `text = '한국어 🦊'\n${code('assign')}`
    const { sourcePath } = await client.ask('dumpCell', { code: text })
    expect(sourcePath).toBe(cellSource(toy.cells, text))
    expect(await client.breakAt(sourcePath, [3])).toMatchObject([{ verified: false, line: 3 }])
    await client.ask('configurationDone')
    const run = toy.cell(slot, text)
    const stop = await client.stop()
    expect(stop.frames[0]).toMatchObject({ line: 3, source: { path: sourcePath } })
    expect(stop.frames[0]?.source?.sourceReference).toBeUndefined()
    const info = await client.ask('debugInfo')
    expect(info).toMatchObject({
      isStarted: true,
      stoppedThreads: [stop.threadId],
      breakpoints: [{ source: sourcePath, breakpoints: [{ line: 3 }] }],
    })
    await client.ask('continue', { threadId: stop.threadId })
    expect(await client.event('continued')).toEqual({ threadId: stop.threadId, allThreadsContinued: true })
    expect(await run).toEqual({ status: 'ok' })
    expect(client.all('output')).toEqual([])
  })

  it('lets go on what stands still when it names another thread', async () => {
    const toy = kernel()
    toy.addShared('One')
    const two = toy.addShared('Two')
    const client = toy.client('jupyter')
    await client.ask('initialize', LAB)
    await client.ask('attach', {})
    await client.breakAt('/a.toy', [2])
    const run = toy.cell(two, code('assign'), '/a.toy')
    expect((await client.stop()).threadId).toBe(2)
    await client.ask('continue', { threadId: 1 })
    expect(await run).toEqual({ status: 'ok' })
  })

  it('looks at variables again when a cell began while it looked', async () => {
    const toy = kernel()
    const slot = toy.addShared('Toy')
    await toy.cell(slot, code('globals'))
    const { target } = slot.engine
    const look = target.variables.bind(target)
    let looks = 0
    target.variables = async (reference, page) => {
      if (++looks === 1) throw new LlmspellError('the script went on', { code: 'debug.stale_reference' })
      return look(reference, page)
    }
    const { variables } = await toy.client('jupyter').ask('inspectVariables')
    expect([looks, variables[0]?.name]).toEqual([2, 'answer'])
  })

  it('looks at variables without a debugger', async () => {
    const toy = kernel()
    const [one, two] = [toy.addShared('Toy'), toy.addShared('Other')]
    await toy.cell(one, `${code('globals')}record = { deep: 1 }\n`)
    await toy.cell(two, 'other = 2\n')
    const client = toy.client('jupyter')
    const { variables } = await client.ask('inspectVariables')
    expect(variables.map(({ name, value }) => [name, value])).toEqual([
      ['answer', '42'],
      ['greeting', 'hello'],
      ['record', 'record'],
      ['Other', ''],
    ])
    const open = (index: number): Promise<Dap.VariablesResponseBody> =>
      client.ask('variables', { variablesReference: variables[index]?.variablesReference ?? 0 })
    expect((await open(2)).variables).toMatchObject([{ name: 'deep', value: '1' }])
    expect((await open(3)).variables).toMatchObject([{ name: 'other', value: '2' }])
    expect(await client.ask('richInspectVariables', { variableName: 'answer' })).toEqual({
      data: { 'text/plain': '42', 'text/html': '<b>42</b>' },
      metadata: {},
    })
    expect(await client.ask('richInspectVariables', { variableName: 'other' })).toMatchObject({ data: { 'text/plain': '2' } })
    expect((await client.refusal('richInspectVariables', { variableName: 'missing' })).text).toMatch(/missing/)
    const path = cellSource(toy.cells, 'other = 2\n')
    expect(await client.answer('source', { source: { path } })).toMatchObject({ success: true, body: { content: 'other = 2\n' } })
    expect(await client.ask('modules')).toEqual({ modules: [], totalModules: 0 })
    expect(one.engine.target.calls).toEqual([])
  })

  it('looks at variables of a frame and makes them global', async () => {
    const toy = kernel()
    const slot = toy.addShared('Toy')
    const client = toy.client('jupyter')
    await client.ask('initialize', LAB)
    await client.ask('attach', {})
    await client.breakAt('/a.toy', [line('calls', 'inner')])
    const run = toy.cell(slot, code('calls'), '/a.toy')
    const stop = await client.stop()
    const frameId = stop.frames[0]?.id ?? 0
    expect(await client.ask('richInspectVariables', { variableName: 'n', frameId })).toEqual({ data: { 'text/plain': '3' }, metadata: {} })
    expect(await client.ask('richInspectVariables', { variableName: 'inner' })).toMatchObject({ data: { 'text/plain': 'function' } })
    expect(
      (await client.refusal('copyToGlobals', { srcVariableName: 'n; 1', dstVariableName: 'copied', srcFrameId: frameId })).text,
    ).toMatch(/no name of a variable/)
    expect(await client.ask('copyToGlobals', { srcVariableName: 'n', dstVariableName: 'copied', srcFrameId: frameId })).toMatchObject({
      value: '3',
    })
    expect(slot.engine.target.calls.at(-1)).not.toBe('continue')
    await client.ask('next', { threadId: stop.threadId })
    expect((await client.ask('evaluate', { expression: 'copied', frameId: (await client.stop()).frames[1]?.id ?? 0 })).result).toBe('3')
    await client.ask('disconnect', { restart: false, terminateDebuggee: false })
    expect(await run).toEqual({ status: 'ok' })
  })

  it('begins again after disconnect, without breakpoints', async () => {
    const toy = kernel()
    const slot = toy.addShared('Toy')
    const client = toy.client('jupyter')
    for (let round = 0; round < 2; round++) {
      await client.ask('initialize', LAB)
      await client.ask('attach', {})
      await client.breakAt('/a.toy', [2])
      expect((await client.ask('debugInfo')).breakpoints).toHaveLength(1)
      await client.ask('disconnect', { restart: false, terminateDebuggee: false })
      expect(await client.ask('debugInfo')).toMatchObject({ isStarted: false, breakpoints: [] })
      expect(await toy.cell(slot, code('assign'), '/a.toy')).toEqual({ status: 'ok' })
    }
    expect(client.closed).toBe(false)
    expect(client.all('terminated')).toEqual([])
  })

  it('is joined by a second client of the kernel, and reloaded while it stands still', async () => {
    const toy = kernel()
    const slot = toy.addShared('Toy')
    const client = toy.client('jupyter')
    await client.ask('initialize', LAB)
    await client.ask('attach', {})
    await client.breakAt('/a.toy', [2])
    const run = toy.cell(slot, code('assign'), '/a.toy')
    const stop = await client.stop()
    await client.ask('initialize', LAB)
    await client.ask('attach', {})
    expect(await client.ask('debugInfo')).toMatchObject({ isStarted: true, stoppedThreads: [stop.threadId] })
    expect((await client.ask('stackTrace', { threadId: stop.threadId })).stackFrames).toHaveLength(1)
    await client.ask('continue', { threadId: stop.threadId })
    await run
  })

  it('keeps breakpoints when the kernel restarts', async () => {
    const toy = kernel()
    const slot = toy.addShared('Toy')
    const client = toy.client('jupyter')
    await client.ask('initialize', LAB)
    await client.ask('attach', {})
    await client.breakAt('/a.toy', [2])
    await toy.restart()
    expect((await client.ask('debugInfo')).breakpoints).toEqual([{ source: '/a.toy', breakpoints: [{ line: 2 }] }])
    const run = toy.cell(slot, code('assign'), '/a.toy')
    const stop = await client.stop()
    await client.ask('continue', { threadId: stop.threadId })
    await run
  })

  it('leaves runs of others alone', async () => {
    const toy = kernel()
    const client = toy.client('jupyter')
    await client.ask('initialize', LAB)
    await client.ask('attach', {})
    await client.ask('setExceptionBreakpoints', { filters: ['uncaught'] })
    const other = toy.client()
    await other.start('launch', { program: toy.write('bad.toy', code('uncaught')) })
    await other.event('terminated')
    expect(client.all('stopped')).toEqual([])
    expect((await client.refusal('launch', { program: '/x' })).id).toBe(1002)
  })

  it('answers where it is asked, by the number that it was asked with', async () => {
    const toy = kernel()
    const client = toy.client('jupyter')
    const answers: unknown[] = []
    const ask = (message: unknown): void => client.session.receive(message, (answer) => answers.push(answer))
    ask({ seq: 0, type: 'request', command: 'debugInfo' })
    ask({ seq: 0, type: 'request', command: 'debugInfo', arguments: {} })
    ask({ type: 'request', command: 'nonsense' })
    ask({ seq: 7, type: 'event', event: 'stopped' })
    ask(null)
    ask('what')
    ask({ seq: 'x', command: 5 })
    expect(answers).toMatchObject([
      { request_seq: 0, success: true, command: 'debugInfo' },
      { request_seq: 0, success: true },
      { request_seq: 0, success: false, command: 'nonsense' },
      { request_seq: 7, success: false },
      { success: false },
      { success: false },
      { success: false },
    ])
    expect(client.received).toEqual([])
  })
})
