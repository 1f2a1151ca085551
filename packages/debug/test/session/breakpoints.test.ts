import { describe, expect, it } from 'vitest'
import { code, line, toyKernels } from './fixture.ts'

const kernel = toyKernels()
const BODY = line('loop', 'body')

describe('breakpoints in sources', () => {
  it('are verified when they bind, where they bind, and say so', async () => {
    const toy = kernel()
    const client = toy.client()
    const path = toy.write('loop.toy', code('loop'))
    let set: unknown
    await client.start('launch', { program: path }, async () => {
      set = await client.breakAt(path, [line('loop', 'comment'), 999])
    })
    expect(set).toMatchObject([
      {
        verified: false,
        line: line('loop', 'comment'),
        message: expect.stringMatching(/not been loaded/),
        reason: 'pending',
        source: { path },
      },
      { verified: false, line: 999 },
    ])
    const stop = await client.stop()
    expect(stop.line).toBe(line('loop', 'adjusted'))
    const [first] = set as [{ id: number }]
    expect(stop.body).toMatchObject({ reason: 'breakpoint', hitBreakpointIds: [first.id] })
    expect(client.all('breakpoint').map(({ body }) => body)).toMatchObject([
      { reason: 'changed', breakpoint: { id: first.id, verified: true, line: line('loop', 'adjusted') } },
    ])
    await client.ask('continue', { threadId: stop.threadId })
    await client.event('terminated')
  })

  it('are verified in the answer when the source is loaded', async () => {
    const toy = kernel()
    const client = toy.client()
    const path = toy.write('loop.toy', code('loop'))
    await client.start('launch', { program: path, stopOnEntry: true })
    await client.stop()
    expect(await client.breakAt(path, [BODY, 999])).toMatchObject([{ verified: true, line: BODY }, { verified: false }])
    expect(client.all('breakpoint')).toEqual([])
  })

  it('stop under conditions and hit conditions, and print', async () => {
    const toy = kernel()
    const client = toy.client()
    const path = toy.write('loop.toy', code('loop'))
    await client.start('launch', { program: path }, () =>
      client.breakAt(path, [
        { line: BODY, condition: 'i == 3' },
        { line: BODY, hitCondition: '>= 5' },
        { line: BODY, logMessage: 'i is {i}', condition: '' },
      ]),
    )
    const third = await client.stop()
    expect((await client.variable(third, 'i')).value).toBe('3')
    const fifth = await client.step(third, 'continue')
    expect((await client.variable(fifth, 'i')).value).toBe('5')
    await client.ask('continue', { threadId: fifth.threadId })
    await client.event('terminated')
    expect(client.output('console')).toBe('i is 1\ni is 2\ni is 3\ni is 4\ni is 5\n')
    expect(client.all('output').find(({ body }) => body.category === 'console')?.body).toMatchObject({ line: BODY, source: { path } })
  })

  it('with a hit condition that makes no sense are refused in words, and not set', async () => {
    const toy = kernel()
    const client = toy.client()
    const path = toy.write('loop.toy', code('loop'))
    await client.start('launch', { program: path }, async () => {
      const [bad, zero] = await client.breakAt(path, [{ line: BODY, hitCondition: 'every now and then' }, { line: 0 }])
      expect(bad).toMatchObject({
        verified: false,
        reason: 'failed',
        message: expect.stringMatching(/'every now and then' is not understood: .*>=/),
      })
      expect(zero).toMatchObject({ verified: false, reason: 'failed', message: 'there is no line 0' })
    })
    await client.event('terminated')
    expect(client.all('stopped')).toEqual([])
  })

  it('that stay the same keep their ids and hits', async () => {
    const toy = kernel()
    const client = toy.client()
    const path = toy.write('loop.toy', code('loop'))
    let id: number | undefined
    await client.start('launch', { program: path }, async () => {
      ;[{ id }] = (await client.breakAt(path, [
        { line: BODY, hitCondition: '4' },
        { line: BODY, condition: 'i == 2' },
      ])) as [{ id?: number }]
    })
    const second = await client.stop()
    expect((await client.variable(second, 'i')).value).toBe('2')
    const [kept] = await client.breakAt(path, [{ line: BODY, hitCondition: '4' }, { line: line('loop', 'after') }])
    expect(kept?.id).toBe(id)
    const fourth = await client.step(second, 'continue')
    expect((await client.variable(fourth, 'i')).value).toBe('4')
  })

  it('are set by lines alone, too, and taken away by nothing', async () => {
    const toy = kernel()
    const client = toy.client()
    const path = toy.write('assign.toy', code('assign'))
    await client.start('launch', { program: path, stopOnEntry: true })
    const entry = await client.stop()
    expect(await client.ask('setBreakpoints', { source: { path }, lines: [2, 3] })).toMatchObject({
      breakpoints: [{ verified: true }, { verified: true }],
    })
    expect(await client.ask('setBreakpoints', { source: { path } })).toEqual({ breakpoints: [] })
    await client.ask('continue', { threadId: entry.threadId })
    await client.event('terminated')
    expect(client.all('stopped')).toHaveLength(1)
  })

  it('are verified when one of several engines binds them', async () => {
    const toy = kernel()
    const [one, two] = [toy.addShared(), toy.addShared()]
    const client = toy.client()
    await client.start('attach', {}, () => client.breakAt('/a.toy', [1]))
    await toy.cell(one, "print 'else'\n", '/b.toy')
    expect(client.all('breakpoint')).toEqual([])
    const run = toy.cell(two, code('assign'), '/a.toy')
    const stop = await client.stop()
    expect(client.all('breakpoint').map(({ body }) => body.breakpoint.verified)).toEqual([true])
    await client.ask('continue', { threadId: stop.threadId })
    await run
    two.added.dispose()
    expect(client.all('breakpoint').map(({ body }) => body.breakpoint.verified)).toEqual([true, false])
  })

  it('of a buffer without a file are refused one by one', async () => {
    const client = kernel().client()
    await client.initialize()
    expect(await client.breakAt('', [1, 2])).toMatchObject([
      { verified: false, message: 'an empty path names no source' },
      { verified: false },
    ])
  })

  it('can be ten thousand in one source', async () => {
    const toy = kernel()
    const client = toy.client()
    const path = toy.write('loop.toy', code('loop'))
    const all = Array.from({ length: 10_000 }, (_, index) => ({ line: index + 1, condition: index % 2 ? 'false' : '' }))
    await client.start('launch', { program: path }, async () => {
      expect(await client.breakAt(path, all)).toHaveLength(10_000)
      expect(new Set((await client.breakAt(path, all)).map(({ id }) => id)).size).toBe(10_000)
    })
    const stop = await client.stop()
    expect(await client.breakAt(path, [])).toEqual([])
    await client.ask('continue', { threadId: stop.threadId })
    await client.event('terminated')
  })

  it('are in sources that are no files, by reference', async () => {
    const toy = kernel()
    const slot = toy.addShared()
    const client = toy.client()
    await client.start('attach', {})
    await toy.cell(slot, code('assign'), 'cell [1]')
    const { source } = await client.event('loadedSource')
    expect(source).toMatchObject({ name: 'cell [1]', sourceReference: expect.any(Number) })
    expect(source.path).toBeUndefined()
    const set = await client.ask('setBreakpoints', { source, breakpoints: [{ line: 2 }] })
    expect(set).toMatchObject({ breakpoints: [{ verified: true, line: 2, source }] })
    const run = toy.cell(slot, code('assign'), 'cell [1]')
    const stop = await client.stop()
    expect(stop.frames[0]?.source).toEqual(source)
    await client.ask('continue', { threadId: stop.threadId })
    await run
  })

  it('have places', async () => {
    const toy = kernel()
    const client = toy.client()
    const path = toy.write('loop.toy', code('loop'))
    await client.start('launch', { program: path, stopOnEntry: true })
    await client.stop()
    const { breakpoints } = await client.ask('breakpointLocations', { source: { path }, line: 1, endLine: 20 })
    expect(breakpoints.map((place) => place.line)).toEqual([1, 2, BODY, line('loop', 'after')])
    expect(await client.ask('breakpointLocations', { source: { path }, line: line('loop', 'comment') })).toEqual({ breakpoints: [] })
    expect(await client.ask('breakpointLocations', { source: { path: '/missing' }, line: 1 })).toEqual({ breakpoints: [] })
  })
})

describe('other breakpoints', () => {
  it('stop at functions', async () => {
    const toy = kernel()
    const client = toy.client()
    let set: unknown
    await client.start('launch', { program: toy.write('named.toy', code('named')) }, async () => {
      set = await client.ask('setFunctionBreakpoints', {
        breakpoints: [{ name: 'named', condition: 'x == 2' }, { name: ' ' }, { name: 'a', hitCondition: '?' }],
      })
    })
    expect(set).toMatchObject({ breakpoints: [{ verified: false, reason: 'pending' }, { reason: 'failed' }, { reason: 'failed' }] })
    const stop = await client.stop()
    expect(stop.body.reason).toBe('function breakpoint')
    expect((await client.variable(stop, 'x')).value).toBe('2')
    await client.ask('continue', { threadId: stop.threadId })
    await client.event('terminated')
  })

  it('stop at errors by filter, with what the error is', async () => {
    const toy = kernel()
    const client = toy.client()
    await client.start('launch', { program: toy.write('bad.toy', code('uncaught')) }, () =>
      client.ask('setExceptionBreakpoints', { filters: ['uncaught'] }),
    )
    const stop = await client.stop()
    expect(stop).toMatchObject({
      line: line('uncaught', 'raise'),
      body: { reason: 'exception', text: 'broken', description: 'Paused on exception' },
    })
    expect(await client.ask('exceptionInfo', { threadId: stop.threadId })).toEqual({
      exceptionId: 'ToyError',
      description: 'broken',
      breakMode: 'unhandled',
      details: { message: 'broken', typeName: 'ToyError', stackTrace: 'fail\nmain' },
    })
    await client.ask('continue', { threadId: stop.threadId })
    expect(await client.event('exited')).toEqual({ exitCode: 1 })
  })

  it('stop at caught errors and errors of tools under conditions', async () => {
    const toy = kernel()
    const client = toy.client()
    const path = toy.write('bad.toy', `${code('caught')}def tool()\n  raise 'tool failed'\ntry\n  tool()\ncatch\n  print 1\n`)
    await client.start('launch', { program: path }, async () => {
      const answer = await client.ask('setExceptionBreakpoints', {
        filters: ['tool', 'nonsense', 'provider'],
        filterOptions: [{ filterId: 'caught', condition: 'detail == 42' }],
      })
      expect(answer?.breakpoints).toMatchObject([
        { verified: true },
        { verified: false, message: expect.stringMatching(/no exception filter 'nonsense'/) },
        { verified: false, message: expect.stringMatching(/no engine here knows/) },
        { verified: true },
      ])
    })
    const caught = await client.stop()
    expect(caught.body.text).toBe('broken')
    expect(await client.ask('exceptionInfo', { threadId: caught.threadId })).toMatchObject({ breakMode: 'always' })
    const tool = await client.step(caught, 'continue')
    expect(tool.body.text).toBe('tool failed')
    await client.ask('continue', { threadId: tool.threadId })
    await client.event('terminated')
  })

  it('know of no error at another stop', async () => {
    const toy = kernel()
    const client = toy.client()
    await client.start('launch', { program: toy.write('a.toy', code('assign')), stopOnEntry: true })
    const stop = await client.stop()
    expect((await client.refusal('exceptionInfo', { threadId: stop.threadId })).text).toMatch(/did not stop at an error/)
  })
})
