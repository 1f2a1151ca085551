import { describe, expect, it } from 'vitest'
import type { BreakpointSpec } from '../../debug-target.ts'
import { type Debugging, STEP_TIMEOUT_MS } from '../debugging.ts'
import type { DebugTargetSuite } from '../describe-debug-target.ts'

/** Values of `i` at the stops of `loop`'s body under this breakpoint. */
async function stopsOf(debugging: Debugging, more: Partial<BreakpointSpec>): Promise<string[]> {
  await debugging.breakAt('loop', 'body', more)
  const run = debugging.run('loop')
  let ended = false
  void run.then(() => {
    ended = true
    debugging.recorder.look()
  })
  const values: string[] = []
  for (;;) {
    const index = values.length
    const stopped = await debugging.recorder.until(
      'a stop or the end',
      () => debugging.recorder.all('stopped')[index] ?? (ended ? 'ended' : undefined),
      STEP_TIMEOUT_MS,
    )
    if (stopped === 'ended') return values
    const stop = await debugging.stop()
    values.push(await debugging.value('i', stop))
    await debugging.go(stop)
  }
}

export function breakpointRules({ open }: DebugTargetSuite): void {
  describe('breakpoints', () => {
    it('binds when the source is loaded, says so, and stops with the id', async () => {
      const debugging = await open()
      const bound = await debugging.breakAt('loop', 'body')
      expect(bound.verified).toBe(false)
      const run = debugging.run('loop')
      const stop = await debugging.stop()
      expect(stop).toMatchObject({ reason: 'breakpoint', breakpointIds: [bound.id], line: debugging.line('loop', 'body') })
      expect(stop.frames[0]?.source).toBe(debugging.source('loop'))
      const told = await debugging.recorder.until(
        'the breakpoint to be verified',
        () => debugging.recorder.all('breakpoint').find(({ breakpoint }) => breakpoint.id === bound.id && breakpoint.verified),
        STEP_TIMEOUT_MS,
      )
      expect(told.breakpoint.line).toBe(debugging.line('loop', 'body'))
      await debugging.setBreakpoints('loop', [])
      expect(await debugging.finish(stop, run)).toMatchObject({ status: 'ok' })
    })

    it('is verified at once in code that is loaded', async () => {
      const debugging = await open()
      const { stop, run } = await debugging.runTo('loop', 'body')
      const [after, nowhere] = await debugging.setBreakpoints('loop', [
        { id: 101, line: debugging.line('loop', 'after') },
        { id: 102, line: 5000 },
      ])
      expect(after).toMatchObject({ id: 101, verified: true, line: debugging.line('loop', 'after') })
      expect(nowhere).toMatchObject({ id: 102, verified: false })
      const next = await debugging.step(stop)
      expect(next).toMatchObject({ line: debugging.line('loop', 'after'), breakpointIds: [101] })
      await debugging.finish(next, run)
    })

    it('moves to the next statement from a line without code', async () => {
      const debugging = await open()
      await debugging.breakAt('loop', 'comment')
      const run = debugging.run('loop')
      const stop = await debugging.stop()
      expect(stop.line).toBe(debugging.line('loop', 'adjusted'))
      const [told] = debugging.recorder.all('breakpoint').filter(({ breakpoint }) => breakpoint.verified)
      expect(told?.breakpoint.line).toBe(debugging.line('loop', 'adjusted'))
      await debugging.finish(stop, run)
    })

    it('stops again when the source runs again, until it is taken away', async () => {
      const debugging = await open()
      const first = await debugging.runTo('assign', 'stop')
      await debugging.finish(first.stop, first.run)
      const run = debugging.run('assign')
      await debugging.finish(await debugging.stop(), run)
      await debugging.setBreakpoints('assign', [])
      expect(await debugging.ended(debugging.run('assign'))).toMatchObject({ status: 'ok' })
      expect(debugging.recorder.all('stopped')).toHaveLength(2)
    })

    it('binds in a loop that runs already', async () => {
      const debugging = await open()
      const run = debugging.run('busy')
      await debugging.recorder.until('the source', () => debugging.recorder.all('source')[0], STEP_TIMEOUT_MS)
      await debugging.breakAt('busy', 'busy')
      const stop = await debugging.stop()
      expect(stop).toMatchObject({ reason: 'breakpoint', line: debugging.line('busy', 'busy') })
      await debugging.setBreakpoints('busy', [])
      const { scope } = await debugging.recorder.local('stop', stop.threadId)
      await debugging.target.setVariable(scope, 'stop', 'true')
      expect(await debugging.finish(stop, run)).toMatchObject({ status: 'ok' })
      expect(debugging.namespace.printed()).toMatch(/stopped/)
    })

    it('stops where the condition holds', async () => {
      expect(await stopsOf(await open(), { condition: 'i == 3' })).toEqual(['3'])
    })

    it('stops and says why when the condition fails', async () => {
      const debugging = await open()
      await debugging.breakAt('loop', 'body', { condition: 'nothing.there.is == 1' })
      const run = debugging.run('loop')
      const stop = await debugging.stop()
      const told = await debugging.recorder.next('output', STEP_TIMEOUT_MS)
      expect(told.text).toMatch(/nothing/)
      await debugging.setBreakpoints('loop', [])
      await debugging.finish(stop, run)
    })

    for (const [hitCondition, values] of Object.entries({
      '2': ['2'],
      '== 4': ['4'],
      '>= 4': ['4', '5'],
      '> 4': ['5'],
      '<= 2': ['1', '2'],
      '< 2': ['1'],
      '% 2': ['2', '4'],
    }))
      it(`stops at hits ${hitCondition}`, async () => {
        expect(await stopsOf(await open(), { hitCondition })).toEqual(values)
      })

    it('counts only hits whose condition holds', async () => {
      expect(await stopsOf(await open(), { condition: 'i > 1', hitCondition: '2' })).toEqual(['3'])
    })

    it('prints a log message instead of stopping', async () => {
      const debugging = await open()
      expect(await stopsOf(debugging, { logMessage: 'at {i} of {total + 1}!' })).toEqual([])
      const lines = debugging.recorder.all('output').map(({ text }) => text.trimEnd())
      expect(lines.join('\n').split('\n')).toEqual(['at 1 of 1!', 'at 2 of 2!', 'at 3 of 4!', 'at 4 of 7!', 'at 5 of 11!'])
    })

    it('logs what cannot be evaluated as such, and goes on', async () => {
      const debugging = await open()
      expect(await stopsOf(debugging, { logMessage: '{nothing.there}', condition: 'i == 1' })).toEqual([])
      expect(debugging.recorder.all('output').length).toBeGreaterThan(0)
    })

    it('stops at a function by name', async () => {
      const debugging = await open()
      await debugging.target.setFunctionBreakpoints([{ id: 7, name: 'named', condition: 'x == 2' }])
      const run = debugging.run('named')
      const stop = await debugging.stop()
      expect(stop).toMatchObject({ reason: 'function breakpoint', breakpointIds: [7] })
      expect(await debugging.value('x', stop)).toBe('2')
      await debugging.target.setFunctionBreakpoints([])
      expect(await debugging.finish(stop, run)).toMatchObject({ status: 'ok' })
    })

    it('knows where breakpoints can be', async () => {
      const debugging = await open()
      expect(await debugging.target.breakpointLocations('/no/such/source', 1, 10)).toEqual([])
      const { stop, run } = await debugging.runTo('loop', 'body')
      const locations = await debugging.target.breakpointLocations(
        debugging.source('loop'),
        debugging.line('loop', 'body'),
        debugging.line('loop', 'after'),
      )
      const lines = new Set(locations.map(({ line }) => line))
      expect(lines).toContain(debugging.line('loop', 'body'))
      expect(lines).toContain(debugging.line('loop', 'after'))
      expect(lines).not.toContain(debugging.line('loop', 'comment'))
      await debugging.setBreakpoints('loop', [])
      await debugging.finish(stop, run)
    })

    it('takes ten thousand of them', async () => {
      const debugging = await open()
      const specs = Array.from({ length: 10_000 }, (_, index) => ({ id: index + 1, line: index + 1 }))
      expect(await debugging.setBreakpoints('assign', specs)).toHaveLength(10_000)
      const run = debugging.run('assign')
      const stop = await debugging.stop()
      expect(await debugging.setBreakpoints('assign', [])).toEqual([])
      expect(await debugging.finish(stop, run)).toMatchObject({ status: 'ok' })
    })
  })
}
