import { codeOf, delay } from '@llmspell/base'
import { describe, expect, it } from 'vitest'
import { SETTLE_MS, STEP_TIMEOUT_MS } from '../debugging.ts'
import type { DebugTargetSuite } from '../describe-debug-target.ts'

export function steppingRules({ open, openDetached, harness }: DebugTargetSuite): void {
  describe('stepping', () => {
    it('steps over a call', async () => {
      const debugging = await open()
      const { stop, run } = await debugging.runTo('calls', 'call')
      const next = await debugging.step(stop, 'next')
      expect(next).toMatchObject({ reason: 'step', line: debugging.line('calls', 'afterCall') })
      expect(await debugging.value('got', next)).toBe('6')
      expect(await debugging.finish(next, run)).toMatchObject({ status: 'ok' })
    })

    it('steps into a call and out of it', async () => {
      const debugging = await open()
      const { stop, run } = await debugging.runTo('calls', 'call')
      const inside = await debugging.step(stop, 'stepIn')
      expect(inside).toMatchObject({ reason: 'step', line: debugging.line('calls', 'inner') })
      expect(inside.frames[0]?.name).toMatch(/inner/)
      expect(inside.frames[1]?.line).toBe(debugging.line('calls', 'call'))
      const outside = await debugging.step(inside, 'stepOut')
      expect(outside.reason).toBe('step')
      expect([debugging.line('calls', 'call'), debugging.line('calls', 'afterCall')]).toContain(outside.line)
      expect(outside.frames[0]?.name).toMatch(/outer/)
      expect(await debugging.finish(outside, run)).toMatchObject({ status: 'ok' })
      expect(debugging.namespace.printed()).toMatch(/7/)
    })

    it('stops at a breakpoint that it steps over', async () => {
      const debugging = await open()
      await debugging.setBreakpoints('calls', [
        { id: 1, line: debugging.line('calls', 'call') },
        { id: 2, line: debugging.line('calls', 'inner') },
      ])
      const run = debugging.run('calls')
      const stop = await debugging.stop()
      expect(stop.line).toBe(debugging.line('calls', 'call'))
      const inner = await debugging.step(stop, 'next')
      expect(inner).toMatchObject({ reason: 'breakpoint', breakpointIds: [2], line: debugging.line('calls', 'inner') })
      expect(await debugging.finish(inner, run)).toMatchObject({ status: 'ok' })
    })

    it('ends the program when it steps past its end', async () => {
      const debugging = await open()
      const { stop, run } = await debugging.runTo('calls', 'end')
      await debugging.go(stop, 'next')
      const more = debugging.recorder.next('stopped', 2 * STEP_TIMEOUT_MS).then(
        (event) => debugging.target.resume(event.threadId, 'continue'),
        () => undefined,
      )
      expect(await debugging.ended(run)).toMatchObject({ status: 'ok' })
      void more
    })

    it('pauses a busy loop', async () => {
      const debugging = await open()
      const run = debugging.run('busy')
      await debugging.recorder.until('the source', () => debugging.recorder.all('source')[0], STEP_TIMEOUT_MS)
      // It is told before the first line runs.
      await delay(SETTLE_MS)
      const [thread] = await debugging.target.threads()
      await debugging.target.pause(thread?.id ?? 1)
      const stop = await debugging.stop()
      expect(stop.reason).toBe('pause')
      const { scope } = await debugging.recorder.local('stop', stop.threadId)
      expect((await debugging.target.setVariable(scope, 'stop', 'true')).value).toBe('true')
      expect(await debugging.finish(stop, run)).toMatchObject({ status: 'ok' })
    })

    it('pauses what waits when it goes on, also for a debugger that comes later', async () => {
      if (harness.programs.waits === undefined) return expect(harness.programs.busy).toBeDefined()
      const debugging = await open()
      await debugging.breakAt('waits', 'busy')
      const run = debugging.run('waits')
      await debugging.stop()
      await debugging.target.detach()
      await delay(SETTLE_MS)
      await debugging.attach()
      for (const again of [false, true]) {
        await debugging.target.pause(1)
        const stop = await debugging.stop()
        expect(stop.reason).toBe('pause')
        expect(stop.frames.some(({ source }) => source === debugging.source('waits'))).toBe(true)
        if (again) {
          const at = stop.frames.findIndex(({ name }) => /main/.test(name))
          const { scope } = await debugging.recorder.local('stop', stop.threadId, at)
          await debugging.target.setVariable(scope, 'stop', 'true')
        }
        await debugging.go(stop)
      }
      expect(await debugging.ended(run)).toMatchObject({ status: 'ok' })
    })

    it('refuses to go on what does not stand still, and to show its stack', async () => {
      const debugging = await open()
      const run = debugging.run('busy')
      await debugging.recorder.until('the source', () => debugging.recorder.all('source')[0], STEP_TIMEOUT_MS)
      for (const ask of [
        () => debugging.target.resume(1, 'continue'),
        () => debugging.target.resume(1, 'next'),
        () => debugging.target.stackTrace(1, 0, 0),
      ])
        expect(codeOf(await ask().catch((error: unknown) => error))).toBe('debug.not_stopped')
      await debugging.namespace.interrupt()
      expect(await debugging.ended(run)).toMatchObject({ status: 'interrupted' })
    })

    it('stands still as long as one likes', async () => {
      const debugging = await open()
      const { stop, run } = await debugging.runTo('assign', 'stop')
      await delay(SETTLE_MS)
      expect(debugging.namespace.printed()).not.toMatch(/value/)
      expect(await debugging.finish(stop, run)).toMatchObject({ status: 'ok' })
      expect(debugging.namespace.printed()).toMatch(/value\s+1/)
    })

    it('steps back where it can, to values as they were', async () => {
      const debugging = await openDetached()
      if (!debugging.target.features.stepBack) return expect(harness.programs.suffix).toBeDefined()
      await debugging.attach({ recordHistory: true })
      await debugging.breakAt('loop', 'body', { condition: 'i == 3' })
      const run = debugging.run('loop')
      const stop = await debugging.stop()
      expect(await debugging.value('total', stop)).toBe('3')
      const next = await debugging.step(stop, 'next')
      expect(await debugging.value('total', next)).toBe('6')
      const back = await debugging.step(next, 'stepBack')
      expect(back).toMatchObject({ reason: 'step', line: debugging.line('loop', 'body') })
      expect(await debugging.value('total', back)).toBe('3')
      await debugging.setBreakpoints('loop', [])
      expect(await debugging.finish(back, run)).toMatchObject({ status: 'ok' })
      expect(debugging.namespace.printed()).toMatch(/total\s+15/)
    })

    it('restarts a frame where it can', async () => {
      const debugging = await open()
      const { stop, run } = await debugging.runTo('calls', 'inner')
      const frame = stop.frames[0]
      if (!debugging.target.features.restartFrame) {
        expect(frame?.canRestart ?? false).toBe(false)
        return void (await debugging.finish(stop, run))
      }
      await debugging.setBreakpoints('calls', [])
      const further = await debugging.step(stop, 'next')
      await debugging.target.restartFrame(further.frames[0]?.id ?? -1)
      const again = await debugging.stop()
      expect(again.line).toBeLessThanOrEqual(debugging.line('calls', 'inner'))
      expect(await debugging.finish(again, run)).toMatchObject({ status: 'ok' })
      expect(debugging.namespace.printed()).toMatch(/7/)
    })
  })
}
