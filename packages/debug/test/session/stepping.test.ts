import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { code, line, toyKernels } from './fixture.ts'

const kernel = toyKernels()

describe('stepping', () => {
  it('goes over, into and out of calls', async () => {
    const toy = kernel()
    const client = toy.client()
    const path = toy.write('calls.toy', code('calls'))
    await client.start('launch', { program: path }, () => client.breakAt(path, [line('calls', 'call')]))
    const stop = await client.stop()
    const inside = await client.step(stop, 'stepIn')
    expect(inside).toMatchObject({ line: line('calls', 'inner'), body: { reason: 'step', allThreadsStopped: true } })
    const next = await client.step(inside, 'next')
    expect(next.line).toBe(line('calls', 'inner') + 1)
    const outside = await client.step(next, 'stepOut')
    expect(outside.line).toBe(line('calls', 'afterCall'))
    const over = await client.step(outside, 'next')
    expect(over.line).toBe(line('calls', 'end'))
    expect(await client.ask('continue', { threadId: over.threadId })).toEqual({ allThreadsContinued: true })
    await client.event('terminated')
    expect(client.output('stdout')).toBe('7\nend\n')
  })

  it('says that it goes on before it says where it stops', async () => {
    const toy = kernel()
    const client = toy.client()
    await client.start('launch', { program: toy.write('loop.toy', code('loop')), stopOnEntry: true })
    let stop = await client.stop()
    for (let at = 0; at < 5; at++) stop = await client.step(stop, 'next')
    const order = client.received.map((message) => (message.type === 'event' ? message.event : message.command))
    const steps = order.filter((word) => word === 'next' || word === 'stopped')
    expect(steps).toEqual(['stopped', ...Array.from({ length: 5 }, () => ['next', 'stopped']).flat()])
    const seqs = client.received.map(({ seq }) => seq)
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b))
    expect(new Set(seqs).size).toBe(seqs.length)
  })

  it('pauses a busy script', async () => {
    const toy = kernel()
    const client = toy.client()
    await client.start('launch', { program: toy.write('busy.toy', code('busy')) })
    const { threads } = await client.ask('threads')
    expect(threads).toEqual([{ id: 1, name: 'Toy busy.toy' }])
    await client.ask('pause', { threadId: 1 })
    const stop = await client.stop()
    expect(stop.body.reason).toBe('pause')
    await client.ask('pause', { threadId: 1 })
    await client.ask('terminate')
    await client.event('terminated')
    expect(client.all('stopped')).toHaveLength(1)
  })

  it('goes back when a history is kept, and only then', async () => {
    const toy = kernel()
    const client = toy.client()
    const path = toy.write('loop.toy', code('loop'))
    const at = { line: line('loop', 'body'), condition: 'i == 3' }
    await client.start('launch', { program: path, recordHistory: true }, () => client.breakAt(path, [at]))
    expect(await client.event('capabilities')).toEqual({ capabilities: { supportsStepBack: true } })
    const stop = await client.stop()
    const next = await client.step(stop, 'next')
    expect((await client.variable(next, 'total')).value).toBe('6')
    const back = await client.step(next, 'stepBack')
    expect((await client.variable(back, 'total')).value).toBe('3')
    const first = await client.step(back, 'reverseContinue')
    expect(first.line).toBe(1)

    const other = toy.client()
    await other.start('launch', { program: path }, () => other.breakAt(path, [at]))
    const { threadId } = await other.stop()
    for (const command of ['stepBack', 'reverseContinue'])
      expect(await other.refusal(command, { threadId })).toMatchObject({ id: 1009, text: expect.stringMatching(/"recordHistory": true/) })
    expect(other.all('capabilities')).toEqual([])
  })

  it('restarts frames', async () => {
    const toy = kernel()
    const client = toy.client()
    const path = toy.write('calls.toy', code('calls'))
    await client.start('launch', { program: path }, () => client.breakAt(path, [line('calls', 'inner')]))
    const stop = await client.stop()
    const next = await client.step(stop, 'next')
    await client.ask('restartFrame', { frameId: next.frames[0]?.id ?? 0 })
    const again = await client.stop()
    expect(again.line).toBe(line('calls', 'inner'))
    expect((await client.refusal('scopes', { frameId: next.frames[0]?.id })).id).toBe(1005)
  })
})

describe('several engines', () => {
  it('have threads of one numbering, and stop for themselves', async () => {
    const toy = kernel()
    const [one, two] = [toy.addShared('One'), toy.addShared('Two')]
    const client = toy.client()
    await client.start('attach', {}, () => client.breakAt('/a.toy', [2]))
    expect((await client.ask('threads')).threads).toEqual([
      { id: 1, name: 'One' },
      { id: 2, name: 'Two' },
    ])
    const busy = toy.cell(two, code('busy'), '/busy.toy')
    await wait(5)
    const first = toy.cell(one, code('assign'), '/a.toy')
    const stop = await client.stop()
    expect(stop.body).toMatchObject({ threadId: 1, allThreadsStopped: false })
    await client.ask('pause', { threadId: 2 })
    const paused = await client.stop()
    expect(paused.body).toMatchObject({ threadId: 2, allThreadsStopped: true })
    expect((await client.ask('evaluate', { expression: 'n * 0', context: 'repl' })).result).toBe('0')
    expect(await client.ask('continue', { threadId: 1 })).toEqual({ allThreadsContinued: false })
    expect(await first).toEqual({ status: 'ok' })
    const { scope } = await client.variable(paused, 'stop')
    await client.ask('setVariable', { variablesReference: scope, name: 'stop', value: 'true' })
    expect(await client.ask('continue', { threadId: 2 })).toEqual({ allThreadsContinued: true })
    expect(await busy).toEqual({ status: 'ok' })
  })

  it('that rest are said to stand still, until they run', async () => {
    const toy = kernel()
    const [one, two] = [toy.addShared('One'), toy.addShared('Two')]
    const client = toy.client()
    await client.start('attach', {}, () => client.breakAt('/a.toy', [2]))
    const run = toy.cell(one, code('assign'), '/a.toy')
    const stop = await client.stop()
    expect(stop.body.allThreadsStopped).toBe(true)
    await toy.cell(two, 'print 1\n')
    expect(client.all('continued').map(({ body }) => body)).toEqual([{ threadId: 2, allThreadsContinued: false }])
    expect((await client.ask('stackTrace', { threadId: stop.threadId })).stackFrames).toHaveLength(1)
    await client.ask('continue', { threadId: stop.threadId })
    await run
  })

  it('are told when they go on by an interrupt, and when they go away', async () => {
    const toy = kernel()
    const slot = toy.addShared('One')
    const client = toy.client()
    await client.start('attach', {}, () => client.breakAt('/a.toy', [2]))
    const run = toy.cell(slot, code('assign'), '/a.toy')
    const stop = await client.stop()
    await toy.interrupt(slot.id)
    expect(await client.event('continued')).toEqual({ threadId: stop.threadId, allThreadsContinued: true })
    expect(await run).toEqual({ status: 'interrupted' })
    expect((await client.refusal('scopes', { frameId: stop.frames[0]?.id })).id).toBe(1005)
    const again = toy.cell(slot, code('assign'), '/a.toy')
    await client.stop()
    slot.added.dispose()
    expect(client.all('thread').map(({ body }) => body)).toEqual([{ reason: 'exited', threadId: stop.threadId }])
    expect((await client.ask('threads')).threads).toEqual([])
    await toy.interrupt(slot.id)
    await again
  })
})
