import { setTimeout as wait } from 'node:timers/promises'
import { adapterCapabilities } from '@llmspell/dap'
import { describe, expect, it } from 'vitest'
import { code, line, toyKernels } from './fixture.ts'

const kernel = toyKernels()

describe('launch', () => {
  it('answers initialize with what it can, and says initialized when it has accepted the launch', async () => {
    const toy = kernel()
    const client = toy.client()
    expect(await client.initialize()).toEqual(adapterCapabilities)
    expect(client.events).toEqual([])
    const launched = client.answer('launch', { program: toy.write('a.toy', code('loop')) })
    await client.event('initialized')
    await client.breakAt(`${toy.dir}/a.toy`, [])
    expect(client.received.some((message) => message.type === 'response' && message.command === 'launch')).toBe(false)
    await client.ask('configurationDone')
    expect(await launched).toMatchObject({ success: true })
    await client.event('terminated')
    const order = client.received.map((message) => (message.type === 'event' ? message.event : message.command))
    expect(order.indexOf('configurationDone')).toBeLessThan(order.indexOf('launch'))
    expect(client.all('initialized')).toHaveLength(1)
  })

  it('runs the script, tells its output, exit code and end, once', async () => {
    const toy = kernel()
    const client = toy.client()
    await client.start('launch', { program: toy.write('loop.toy', code('loop')) })
    await client.event('terminated')
    expect(client.output('stdout')).toBe('total 15\n')
    const ends = client.events.filter(({ event }) => event === 'exited' || event === 'terminated')
    expect(ends).toMatchObject([{ event: 'exited', body: { exitCode: 0 } }, { event: 'terminated' }])
    await client.ask('terminate')
    await client.ask('disconnect')
    expect(client.all('terminated')).toHaveLength(1)
    expect(client.closed).toBe(true)
  })

  it('tells the traceback of an error and exit code 1', async () => {
    const toy = kernel()
    const client = toy.client()
    await client.start('launch', { program: toy.write('bad.toy', code('uncaught')) })
    expect(await client.event('exited')).toEqual({ exitCode: 1 })
    expect(client.output('stderr')).toBe('ToyError: broken\n')
  })

  it('passes on what was given, and waits for configurationDone that came before', async () => {
    const toy = kernel()
    const client = toy.client()
    await client.initialize()
    await client.ask('configurationDone')
    await client.ask('launch', {
      program: toy.write('args.toy', 'print 1\n'),
      args: ['a', 'b'],
      cwd: '/',
      env: { A: '1', B: null },
      language: 'lua',
    })
    await client.event('terminated')
    expect(client.output()).toBe('1\n')
  })

  it('refuses what cannot be run, in words, and another launch is possible', async () => {
    const toy = kernel()
    const client = toy.client()
    await client.initialize()
    const wrong: [Record<string, unknown>, RegExp][] = [
      [{}, /program is missing/],
      [{ program: 7 }, /program must be a string/],
      [{ program: 'x.lua' }, /absolute path/],
      [{ program: `${toy.dir}/missing.toy` }, /there is no file .*missing\.toy\nLook at the path/s],
      [{ program: '/x', args: 'a b' }, /args must be a list of strings/],
      [{ program: '/x', env: [] }, /env must be an object/],
      [{ program: '/x', language: 'perl' }, /language must be lua, javascript, typescript, not 'perl'/],
      [{ program: '/x', stopOnEntry: 'yes' }, /stopOnEntry must be true or false/],
      [{ program: '/x', noDebug: 'yes' }, /noDebug must be true or false/],
      [{ program: '/x', onDisconnect: 'explode' }, /onDisconnect must be/],
      [{ program: '/x', cwd: 'here' }, /cwd must be an absolute path/],
    ]
    for (const [args, why] of wrong) expect((await client.refusal('launch', args)).text).toMatch(why)
    expect(client.events).toEqual([])
    const launched = client.ask('launch', { program: toy.write('good.toy', 'print 1\n') })
    await client.event('initialized')
    await client.ask('configurationDone')
    await launched
    await client.event('terminated')
  })

  it('stops on entry', async () => {
    const toy = kernel()
    const client = toy.client()
    await client.start('launch', { program: toy.write('a.toy', code('assign')), stopOnEntry: true })
    const stop = await client.stop()
    expect(stop).toMatchObject({ line: 1, body: { reason: 'entry', allThreadsStopped: true } })
    await client.ask('continue', { threadId: stop.threadId })
    await client.event('terminated')
  })

  it('runs without debugging', async () => {
    const toy = kernel()
    const client = toy.client()
    const path = toy.write('loop.toy', code('loop'))
    await client.start('launch', { program: path, noDebug: true, stopOnEntry: true }, async () => {
      expect(await client.breakAt(path, [3])).toMatchObject([{ verified: false }])
    })
    await client.event('terminated')
    expect(client.all('stopped')).toEqual([])
    expect(client.output()).toBe('total 15\n')
  })

  it('shows progress when the start is slow, to clients that show it, and can be cancelled', async () => {
    const toy = kernel()
    toy.slowStart = new Promise(() => {})
    const client = toy.client()
    await client.initialize({ supportsProgressReporting: true })
    const launched = client.refusal('launch', { program: toy.write('a.toy', 'print 1\n') })
    const { progressId, cancellable } = await client.event('progressStart')
    expect(cancellable).toBe(true)
    await client.ask('cancel', { progressId })
    expect((await launched).text).toMatch(/cancelled/)
    expect(await client.event('progressEnd')).toEqual({ progressId })
  })

  it('is cancelled by the number of its request, too', async () => {
    const toy = kernel()
    toy.slowStart = new Promise(() => {})
    const client = toy.client()
    await client.initialize()
    const requestId = client.nextSeq
    const launched = client.answer('launch', { program: toy.write('a.toy', 'print 1\n') })
    await client.ask('cancel', { requestId })
    expect(await launched).toMatchObject({ success: false, message: 'cancelled' })
  })
})

describe('terminate and disconnect', () => {
  it('terminates a busy script', async () => {
    const toy = kernel()
    const client = toy.client()
    await client.start('launch', { program: toy.write('busy.toy', code('busy')) })
    await client.ask('terminate')
    expect(await client.event('exited')).toEqual({ exitCode: 130 })
    await client.event('terminated')
    expect(client.output('stderr')).toBe('')
  })

  it('terminates one that stands still', async () => {
    const toy = kernel()
    const client = toy.client()
    const path = toy.write('loop.toy', code('loop'))
    await client.start('launch', { program: path }, () => client.breakAt(path, [3]))
    await client.stop()
    await client.ask('terminate')
    await client.event('terminated')
    expect(client.output()).toBe('')
  })

  it('ends what it launched when it disconnects, unless it says otherwise', async () => {
    for (const [args, ends] of [
      [{}, true],
      [{ terminateDebuggee: true }, true],
      [{ terminateDebuggee: false }, false],
    ] as const) {
      const toy = kernel()
      const client = toy.client()
      const path = toy.write('assign.toy', code('assign'))
      await client.start('launch', { program: path }, () => client.breakAt(path, [2]))
      await client.stop()
      const listener = toy.client()
      await listener.start('attach', {})
      await client.ask('disconnect', args)
      expect(client.closed).toBe(true)
      if (ends) await listener.ask('threads').then(({ threads }) => expect(threads).toEqual([]))
      else {
        // It stands still under the next debugger.
        const stop = await listener.stop()
        await listener.ask('continue', { threadId: stop.threadId })
        while (!listener.output().includes('value 1')) await wait(5)
      }
    }
  })

  it('lets a script go on whose debugger has vanished', async () => {
    const toy = kernel()
    const client = toy.client()
    const slot = toy.addShared()
    await client.start('attach', {}, () => client.breakAt('/a.toy', [line('loop', 'body')]))
    const run = toy.cell(slot, code('loop'), '/a.toy')
    await client.stop()
    client.session.closed('vanished')
    expect(await run).toEqual({ status: 'ok' })
    expect(slot.engine.printed).toBe('total 15\n')
    expect(toy.coordinator.active).toBe(false)
    expect(await toy.cell(slot, code('loop'), '/a.toy')).toEqual({ status: 'ok' })
  })

  it('does with it what onDisconnect says', async () => {
    const toy = kernel()
    const slot = toy.addShared()
    const ending = toy.client()
    await ending.start('attach', { onDisconnect: 'terminate' }, () => ending.breakAt('/a.toy', [line('loop', 'body')]))
    const run = toy.cell(slot, code('loop'), '/a.toy')
    await ending.stop()
    ending.session.closed('vanished')
    expect(await run).toEqual({ status: 'interrupted' })

    const staying = toy.client()
    await staying.start('attach', { onDisconnect: 'stay' }, () => staying.breakAt('/a.toy', [line('loop', 'body')]))
    const stays = toy.cell(slot, code('loop'), '/a.toy')
    await staying.stop()
    staying.session.closed('vanished')
    await toy.coordinator.settled(slot.id)
    expect(toy.coordinator.isStopped(slot.id)).toBe(true)
    const next = toy.client()
    await next.start('attach', {})
    const stop = await next.stop()
    expect(stop.line).toBe(line('loop', 'body'))
    await next.ask('continue', { threadId: stop.threadId })
    expect(await stays).toEqual({ status: 'ok' })
  })

  it('keeps it standing still when the client suspends it', async () => {
    const toy = kernel()
    const slot = toy.addShared()
    const client = toy.client()
    await client.start('attach', {}, () => client.breakAt('/a.toy', [line('loop', 'body')]))
    const run = toy.cell(slot, code('loop'), '/a.toy')
    await client.stop()
    await client.ask('disconnect', { suspendDebuggee: true })
    expect(toy.coordinator.isStopped(slot.id)).toBe(true)
    const next = toy.client()
    await next.start('attach', {})
    await next.stop()
    await next.ask('disconnect')
    expect(await run).toEqual({ status: 'ok' })
  })

  it('answers what waits when it disconnects early', async () => {
    const toy = kernel()
    toy.addShared()
    for (const [command, args] of [
      ['attach', {}],
      ['launch', { program: toy.write('a.toy', 'print 1\n') }],
    ] as const) {
      const client = toy.client()
      await client.initialize()
      const started = client.refusal(command, args)
      await client.event('initialized')
      await client.ask('disconnect')
      await started
      expect(client.all('terminated')).toEqual([])
    }
  })
})

describe('restart', () => {
  it('runs the script again, with its breakpoints and no second start or end', async () => {
    const toy = kernel()
    const client = toy.client()
    const path = toy.write('assign.toy', code('assign'))
    await client.start('launch', { program: path }, () => client.breakAt(path, [2]))
    const first = await client.stop()
    await client.ask('restart', {})
    const again = await client.stop()
    expect(again.line).toBe(2)
    expect((await client.refusal('scopes', { frameId: first.frames[0]?.id })).id).toBe(1005)
    await client.event('invalidated')
    await client.ask('continue', { threadId: again.threadId })
    await client.event('terminated')
    expect(client.all('terminated')).toHaveLength(1)
    expect(client.all('exited')).toHaveLength(1)
    expect(client.all('initialized')).toHaveLength(1)
    expect(client.output('stdout')).toBe('value 1\n')
  })

  it('takes the arguments that come with it', async () => {
    const toy = kernel()
    const client = toy.client()
    await client.start('launch', { program: toy.write('busy.toy', code('busy')) })
    await client.ask('restart', { arguments: { program: toy.write('other.toy', "print 'other'\n") } })
    await client.event('terminated')
    expect(client.output('stdout')).toBe('other\n')
  })

  it.each(['disconnect', 'terminate'] as const)('does not start again when %s comes meanwhile', async (command) => {
    const toy = kernel()
    const client = toy.client()
    const path = toy.write('busy.toy', code('busy'))
    await client.start('launch', { program: path })
    const other = toy.write('other.toy', "print 'other'\n")
    const restarted = client.answer('restart', { arguments: { program: other } })
    await client.answer(command)
    if (command === 'terminate') await client.event('terminated')
    expect((await restarted).success).toBe(false)
    await new Promise(setImmediate)
    expect(client.output()).not.toContain('other')
    expect(toy.coordinator.active).toBe(false)
  })

  it('gives an attached kernel fresh namespaces and keeps the breakpoints', async () => {
    const toy = kernel()
    const slot = toy.addShared()
    const client = toy.client()
    let id: number | undefined
    await client.start('attach', {}, async () => {
      ;[{ id }] = (await client.breakAt('/a.toy', [2])) as [{ id?: number }]
    })
    const run = toy.cell(slot, code('assign'), '/a.toy')
    await client.stop()
    await client.ask('restart')
    expect((await run).status).toBe('interrupted')
    const changes = client.all('breakpoint').map(({ body }) => body.breakpoint.verified)
    expect(changes).toEqual([true, false])
    const again = toy.cell(slot, code('assign'), '/a.toy')
    const stop = await client.stop()
    expect(stop.body.hitBreakpointIds).toEqual([id])
    await client.ask('continue', { threadId: stop.threadId })
    await again
  })
})

describe('attach', () => {
  it('debugs what comes later, too', async () => {
    const toy = kernel()
    const client = toy.client()
    await client.start('attach', {}, () => client.breakAt('/a.toy', [2]))
    const slot = toy.addShared('Later')
    const run = toy.cell(slot, code('assign'), '/a.toy')
    const stop = await client.stop()
    expect(await client.ask('threads')).toEqual({ threads: [{ id: stop.threadId, name: 'Later' }] })
    await client.ask('continue', { threadId: stop.threadId })
    await run
    expect(client.output('stdout')).toBe('value 1\n')
  })

  it('debugs one run and ends with it', async () => {
    const toy = kernel()
    const slot = toy.addShared()
    const other = toy.addShared()
    const run = toy.cell(slot, code('busy'), '/busy.toy')
    await wait(5)
    const client = toy.client()
    await client.start('attach', { run: '/busy.toy' })
    expect((await client.ask('threads')).threads).toHaveLength(1)
    await toy.cell(other, "print 'unheard'\n", '/other.toy')
    await client.ask('pause', { threadId: 1 })
    const stop = await client.stop()
    expect(stop.body.reason).toBe('pause')
    await client.ask('setVariable', { variablesReference: (await client.variable(stop, 'stop')).scope, name: 'stop', value: 'true' })
    await client.ask('continue', { threadId: stop.threadId })
    await run
    expect(await client.event('exited')).toEqual({ exitCode: 0 })
    await client.event('terminated')
    expect(client.output('stdout')).toBe('stopped\n')
    expect(client.all('terminated')).toHaveLength(1)
  })

  it('says what runs when the run is not there', async () => {
    const toy = kernel()
    const client = toy.client()
    await client.initialize()
    expect((await client.refusal('attach', { run: 'nothing' })).text).toMatch(/does not run in this kernel.*\nNothing runs there now/s)
    const slot = toy.addShared()
    const run = toy.cell(slot, code('busy'), '/busy.toy')
    await wait(5)
    expect((await client.refusal('attach', { run: 'nothing' })).text).toMatch(/There runs: \/busy\.toy/)
    await toy.interrupt(slot.id)
    await run
  })

  it('terminates by interrupting what runs', async () => {
    const toy = kernel()
    const slot = toy.addShared()
    const client = toy.client()
    await client.start('attach', {})
    const run = toy.cell(slot, code('busy'))
    await wait(5)
    await client.ask('terminate')
    expect(await run).toEqual({ status: 'interrupted' })
    await client.event('terminated')
    expect(slot.engine.target.calls.at(-1)).toBe('detach')
  })

  it('can be cancelled while the client configures, and tried again', async () => {
    const toy = kernel()
    const slot = toy.addShared()
    const client = toy.client()
    await client.initialize()
    const requestId = client.nextSeq
    const attached = client.answer('attach', {})
    await client.event('initialized')
    await client.ask('cancel', { requestId })
    expect(await attached).toMatchObject({ success: false, message: 'cancelled' })
    await toy.coordinator.settled(slot.id)
    expect(slot.engine.target.calls.at(-1)).toBe('detach')
    const again = client.ask('attach', {})
    await client.event('initialized')
    await client.ask('configurationDone')
    await again
    expect(client.all('process').map(({ body }) => body.startMethod)).toEqual(['attach'])
  })

  it('is told when the kernel ends', async () => {
    const toy = kernel()
    toy.addShared()
    const client = toy.client()
    await client.start('attach', {})
    toy.coordinator.dispose()
    expect(client.all('terminated')).toHaveLength(1)
    expect(client.closed).toBe(true)
  })
})

describe('order of requests', () => {
  it('refuses what comes too early or twice, and says what is missing', async () => {
    const toy = kernel()
    toy.addShared()
    const client = toy.client()
    expect((await client.refusal('launch', { program: '/x' })).text).toMatch(/'initialize' comes first/)
    expect((await client.refusal('setBreakpoints', { source: { path: '/x' } })).text).toMatch(/'initialize' comes first/)
    await client.initialize()
    expect((await client.refusal('initialize', { adapterID: 'x' })).id).toBe(1002)
    for (const [command, args] of [
      ['stackTrace', { threadId: 1 }],
      ['variables', { variablesReference: 1 }],
      ['evaluate', { expression: '1' }],
      ['continue', { threadId: 1 }],
      ['pause', { threadId: 1 }],
      ['restart', {}],
    ] as const)
      expect((await client.refusal(command, args)).text).toMatch(/needs 'launch' or 'attach' first/)
    const attached = client.ask('attach', {})
    await client.event('initialized')
    expect((await client.refusal('attach', {})).text).toMatch(/already|first/)
    await client.ask('configurationDone')
    await attached
    expect((await client.refusal('launch', { program: '/x' })).id).toBe(1002)
    expect((await client.refusal('stackTrace', { threadId: 1 })).message).toBe('notStopped')
    expect((await client.refusal('continue', { threadId: 1 })).message).toBe('notStopped')
    expect((await client.refusal('stackTrace', { threadId: 99 })).id).toBe(1006)
  })

  it('answers what comes after the end', async () => {
    const toy = kernel()
    const client = toy.client()
    await client.start('launch', { program: toy.write('a.toy', 'print 1\n') })
    await client.event('terminated')
    expect(await client.ask('threads')).toEqual({ threads: [] })
    expect(await client.breakAt('/a.toy', [1])).toMatchObject([{ verified: false }])
    expect((await client.refusal('stackTrace', { threadId: 1 })).text).toMatch(/has ended/)
    expect((await client.refusal('evaluate', { expression: '1' })).text).toMatch(/has ended/)
  })
})
