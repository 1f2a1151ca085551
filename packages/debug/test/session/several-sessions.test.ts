import { describe, expect, it } from 'vitest'
import { code, line, toyKernels } from './fixture.ts'

const kernel = toyKernels()
const BODY = line('loop', 'body')

describe('several sessions on one engine', () => {
  it('see the same stop; one controls, the others observe', async () => {
    const toy = kernel()
    const slot = toy.addShared('Toy')
    const [first, second] = [toy.client(), toy.client()]
    await first.start('attach', {}, () => first.breakAt('/a.toy', [BODY]), { clientName: 'First editor' })
    await second.start('attach', {})
    const run = toy.cell(slot, code('loop'), '/a.toy')
    const [stop, seen] = [await first.stop(), await second.stop()]
    expect(seen.line).toBe(BODY)
    expect(seen.body.hitBreakpointIds).toBeUndefined()
    expect((await second.variable(seen, 'i')).value).toBe('1')
    const frameId = seen.frames[0]?.id ?? 0
    const { scope } = await second.variable(seen, 'i')
    for (const [command, args] of [
      ['continue', { threadId: seen.threadId }],
      ['next', { threadId: seen.threadId }],
      ['pause', { threadId: seen.threadId }],
      ['restart', {}],
      ['restartFrame', { frameId }],
      ['setVariable', { variablesReference: scope, name: 'i', value: '9' }],
      ['setExpression', { expression: 'i', value: '9', frameId }],
      ['evaluate', { expression: 'i = 9', frameId, context: 'repl' }],
      ['copyToGlobals', { srcVariableName: 'i', dstVariableName: 'j', srcFrameId: frameId }],
    ] as const)
      expect(await second.refusal(command, args), command).toMatchObject({
        id: 1010,
        text: 'First editor controls Toy; this one observes\nIt takes over when the other one disconnects.',
      })
    expect((await second.ask('evaluate', { expression: 'i', frameId, context: 'watch' })).result).toBe('1')
    await first.ask('next', { threadId: stop.threadId })
    expect(await second.event('continued')).toEqual({ threadId: seen.threadId, allThreadsContinued: true })
    expect(first.all('continued')).toEqual([])
    await second.stop()
    await first.ask('disconnect')
    await second.ask('continue', { threadId: seen.threadId })
    expect(await run).toEqual({ status: 'ok' })
  })

  it('the next takes over, with its own breakpoints', async () => {
    const toy = kernel()
    const slot = toy.addShared('Toy')
    const [first, second] = [toy.client(), toy.client()]
    await first.start('attach', {}, () => first.breakAt('/a.toy', [BODY]), { clientName: 'First editor' })
    let set: unknown
    await second.start('attach', {}, async () => {
      set = await second.breakAt('/a.toy', [line('loop', 'after')])
      await second.ask('setExceptionBreakpoints', { filters: ['caught'] })
      await second.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'inner' }] })
    })
    expect(set).toMatchObject([{ verified: false, message: 'First editor controls Toy: set when it disconnects' }])
    const run = toy.cell(slot, code('loop'), '/a.toy')
    await first.stop()
    first.session.closed('vanished')
    const stop = await second.stop()
    expect(stop.line).toBe(BODY)
    await toy.coordinator.settled(slot.id)
    expect(second.all('breakpoint').flatMap(({ body }) => (body.breakpoint.verified ? body.breakpoint : []))).toMatchObject([
      { verified: true, line: line('loop', 'after') },
    ])
    const next = await second.step(stop, 'continue')
    expect(next.line).toBe(line('loop', 'after'))
    expect(slot.engine.target.calls).toContain('setExceptionFilters caught')
    await second.ask('disconnect')
    expect(await run).toEqual({ status: 'ok' })
    expect(slot.engine.target.calls.at(-1)).toBe('detach')
  })

  it('whoever launches controls what it launched', async () => {
    const toy = kernel()
    const [watching, launching] = [toy.client(), toy.client()]
    const path = toy.write('loop.toy', code('loop'))
    await watching.start('attach', {}, () => watching.breakAt(path, [1]))
    await launching.start('launch', { program: path }, () => launching.breakAt(path, [BODY]))
    const stop = await launching.stop()
    expect(stop.line).toBe(BODY)
    const seen = await watching.stop()
    expect(seen.line).toBe(BODY)
    await launching.ask('terminate')
    await launching.event('terminated')
    expect(watching.all('terminated')).toEqual([])
  })

  it('the stop at entry is for who launched, whoever else comes', async () => {
    const toy = kernel()
    const [watching, launching] = [toy.client(), toy.client()]
    await watching.start('attach', {})
    await launching.start('launch', { program: toy.write('assign.toy', code('assign')), stopOnEntry: true })
    const stop = await launching.stop()
    expect(stop.body.reason).toBe('entry')
    expect((await watching.stop()).body.reason).toBe('entry')
    const late = toy.client()
    await late.start('attach', {})
    await launching.ask('continue', { threadId: stop.threadId })
    await launching.event('terminated')
    expect(launching.all('stopped')).toHaveLength(1)
  })

  it('a history that one asks for is kept for all', async () => {
    const toy = kernel()
    const slot = toy.addShared()
    const [first, second] = [toy.client(), toy.client()]
    await first.start('attach', {}, () => first.breakAt('/a.toy', [2]))
    await second.start('attach', { recordHistory: true })
    const run = toy.cell(slot, code('assign'), '/a.toy')
    const stop = await first.stop()
    const back = await first.step(stop, 'stepBack')
    expect(back.line).toBe(1)
    await first.ask('disconnect')
    await second.ask('disconnect')
    expect(await run).toEqual({ status: 'ok' })
  })

  it('a script that stays for the next one is let go by an interrupt', async () => {
    const toy = kernel()
    const slot = toy.addShared()
    const client = toy.client()
    await client.start('attach', {}, () => client.breakAt('/a.toy', [2]))
    const run = toy.cell(slot, code('assign'), '/a.toy')
    await client.stop()
    await client.ask('disconnect', { suspendDebuggee: true })
    await toy.interrupt(slot.id)
    expect(await run).toEqual({ status: 'interrupted' })
    await toy.coordinator.settled(slot.id)
    expect(slot.engine.target.calls.at(-1)).toBe('detach')
  })

  it('who lets the script go on and vanishes before the answer keeps nothing from the others', async () => {
    const toy = kernel()
    const slot = toy.addShared('Toy')
    const [first, second] = [toy.client(), toy.client()]
    await first.start('attach', {}, () => first.breakAt('/a.toy', [BODY]))
    await second.start('attach', {}, () => second.breakAt('/a.toy', [line('loop', 'after')]))
    const run = toy.cell(slot, code('loop'), '/a.toy')
    const stop = await first.stop()
    await second.stop()
    first.session.receive({ seq: 1000, type: 'request', command: 'continue', arguments: { threadId: stop.threadId } })
    first.session.closed('vanished')
    const next = await second.stop()
    expect(next.line).toBe(line('loop', 'after'))
    await second.ask('disconnect')
    expect(await run).toEqual({ status: 'ok' })
  })

  it('an engine that refuses one debugger is free for the next', async () => {
    const toy = kernel()
    const slot = toy.addShared('Toy')
    const { target } = slot.engine
    const attach = target.attach.bind(target)
    target.attach = () => Promise.reject(new Error('not now'))
    const [first, second] = [toy.client(), toy.client()]
    await first.start('attach', {})
    expect(first.output('important')).toBe('Toy cannot be debugged: not now\n')
    target.attach = attach
    await second.start('attach', {}, () => second.breakAt('/a.toy', [BODY]))
    const run = toy.cell(slot, code('loop'), '/a.toy')
    const stop = await second.stop()
    expect(stop.line).toBe(BODY)
    await second.ask('disconnect')
    expect(await run).toEqual({ status: 'ok' })
  })

  it('an observer may leave without a trace', async () => {
    const toy = kernel()
    const slot = toy.addShared('Toy')
    const [first, second] = [toy.client(), toy.client()]
    await first.start('attach', {}, () => first.breakAt('/a.toy', [BODY]))
    await second.start('attach', {})
    const run = toy.cell(slot, code('loop'), '/a.toy')
    const stop = await first.stop()
    await second.ask('disconnect', { terminateDebuggee: false })
    expect(toy.coordinator.isStopped(slot.id)).toBe(true)
    await first.breakAt('/a.toy', [])
    await first.ask('continue', { threadId: stop.threadId })
    expect(await run).toEqual({ status: 'ok' })
  })

  it('a client that cannot be told troubles nobody', async () => {
    const toy = kernel()
    const slot = toy.addShared()
    const broken = toy.coordinator.createSession({
      kind: 'jupyter',
      send: () => {
        throw new Error('the wire is cut')
      },
    })
    for (const [seq, command] of ['initialize', 'attach'].entries())
      broken.receive({ seq, type: 'request', command, arguments: { adapterID: 'x' } }, () => {})
    const client = toy.client()
    await client.start('attach', {}, () => client.breakAt('/a.toy', [2]))
    await toy.coordinator.settled(slot.id)
    broken.closed('vanished')
    const run = toy.cell(slot, code('assign'), '/a.toy')
    const stop = await client.stop()
    await client.ask('continue', { threadId: stop.threadId })
    expect(await run).toEqual({ status: 'ok' })
  })

  it('tells the kernel whether anybody debugs', async () => {
    const toy = kernel()
    toy.addShared()
    const told: boolean[] = []
    toy.coordinator.onActive((active) => told.push(active))
    const [first, second] = [toy.client(), toy.client()]
    await first.start('attach', {})
    await second.start('attach', {})
    await first.ask('disconnect')
    second.session.closed('vanished')
    expect(told).toEqual([true, false])
  })
})
