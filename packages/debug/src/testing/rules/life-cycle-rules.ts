import { delay } from '@llmspell/base'
import { describe, expect, it } from 'vitest'
import { SETTLE_MS, STEP_TIMEOUT_MS } from '../debugging.ts'
import type { DebugTargetSuite } from '../describe-debug-target.ts'

export function lifeCycleRules({ harness, open, openDetached }: DebugTargetSuite): void {
  describe('life cycle', () => {
    it('runs programs as without a debugger', async () => {
      const debugging = await open()
      expect(await debugging.ended(debugging.run('loop'))).toMatchObject({ status: 'ok' })
      expect(debugging.namespace.printed()).toMatch(/total\s+15/)
      expect(debugging.recorder.all('stopped')).toEqual([])
    })

    it('is attached and detached as often as one likes', async () => {
      const debugging = await openDetached()
      await debugging.target.detach()
      await debugging.attach()
      await debugging.attach()
      await debugging.target.detach()
      await debugging.target.detach()
      await debugging.attach()
      const { stop, run } = await debugging.runTo('assign', 'stop')
      expect(await debugging.finish(stop, run)).toMatchObject({ status: 'ok' })
    })

    it('lets a script that stands still go on when it is detached, and stops no more', async () => {
      const debugging = await open()
      const { run } = await debugging.runTo('loop', 'body')
      await debugging.target.detach()
      expect(await debugging.ended(run)).toMatchObject({ status: 'ok' })
      expect(debugging.namespace.printed()).toMatch(/total\s+15/)
      expect(debugging.recorder.all('stopped')).toHaveLength(1)
    })

    it('forgets breakpoints when it is detached', async () => {
      const debugging = await open()
      await debugging.breakAt('loop', 'body')
      await debugging.target.detach()
      await debugging.attach()
      expect(await debugging.ended(debugging.run('loop'))).toMatchObject({ status: 'ok' })
      expect(debugging.recorder.all('stopped')).toEqual([])
    })

    it('stops at entry, once', async () => {
      const debugging = await openDetached()
      await debugging.attach({ stopOnEntry: true })
      const run = debugging.run('assign')
      const stop = await debugging.stop()
      expect(stop.reason).toBe('entry')
      expect(stop.frames[0]?.source).toBe(debugging.source('assign'))
      expect(await debugging.finish(stop, run)).toMatchObject({ status: 'ok' })
      expect(await debugging.ended(debugging.run('loop'))).toMatchObject({ status: 'ok' })
      expect(debugging.recorder.all('stopped')).toHaveLength(1)
    })

    it('answers while the script stands still, and has a thread', async () => {
      const debugging = await open()
      const { stop, run } = await debugging.runTo('loop', 'body')
      const threads = await debugging.target.threads()
      expect(threads.map(({ id }) => id)).toContain(stop.threadId)
      expect(threads.every(({ name }) => name.length > 0)).toBe(true)
      await debugging.target.setBreakpoints(debugging.source('loop'), [])
      expect(await debugging.finish(stop, run)).toMatchObject({ status: 'ok' })
    })

    it('unwinds a script that stands still when it is interrupted, and keeps breakpoints', async () => {
      const debugging = await open()
      const { run } = await debugging.runTo('loop', 'body')
      await debugging.namespace.interrupt()
      expect(await debugging.ended(run)).toMatchObject({ status: 'interrupted' })
      await debugging.recorder.next('continued', STEP_TIMEOUT_MS)
      const again = debugging.run('loop')
      const stop = await debugging.stop()
      expect(stop.line).toBe(debugging.line('loop', 'body'))
      await debugging.target.setBreakpoints(debugging.source('loop'), [])
      expect(await debugging.finish(stop, again)).toMatchObject({ status: 'ok' })
    })

    it('says what it knows of sources', async () => {
      const debugging = await open()
      await debugging.ended(debugging.run('assign'))
      const source = debugging.source('assign')
      await debugging.recorder.until(
        'the source to be told',
        () => debugging.recorder.all('source').find((event) => event.source === source),
        STEP_TIMEOUT_MS,
      )
      expect(await debugging.target.loadedSources()).toContain(source)
      const cell = `suite cell ${Date.now()}`
      await debugging.ended(debugging.namespace.run(cell, debugging.code('assign')))
      expect(await debugging.target.sourceText(cell)).toBe(debugging.code('assign'))
      expect(await debugging.target.sourceText('/no/such/source')).toBeUndefined()
    })

    it('answers requests before it tells what they cause', async () => {
      const debugging = await open()
      const { stop, run } = await debugging.runTo('loop', 'body')
      const order: string[] = []
      const listening = debugging.target.onEvent(({ type }) => order.push(type))
      await debugging.target.resume(stop.threadId, 'next').then(() => order.push('answer'))
      const next = await debugging.stop()
      expect(order[0]).toBe('answer')
      listening.dispose()
      await debugging.target.setBreakpoints(debugging.source('loop'), [])
      await debugging.finish(next, run)
    })

    it('hears a listener no more that was disposed', async () => {
      const debugging = await open()
      const heard: string[] = []
      debugging.target.onEvent(({ type }) => heard.push(type)).dispose()
      const { stop, run } = await debugging.runTo('assign', 'stop')
      await debugging.finish(stop, run)
      expect(heard).toEqual([])
    })

    it('tells that the engine was replaced, and binds breakpoints in the new one', async () => {
      const debugging = await open()
      const { lose } = debugging.namespace
      if (!lose) return expect(harness.programs.suffix).toBeDefined()
      await debugging.breakAt('loop', 'body')
      await lose.call(debugging.namespace)
      await debugging.recorder.next('lost', STEP_TIMEOUT_MS)
      const run = debugging.run('loop')
      const stop = await debugging.stop()
      expect(stop.line).toBe(debugging.line('loop', 'body'))
      await debugging.target.setBreakpoints(debugging.source('loop'), [])
      expect(await debugging.finish(stop, run)).toMatchObject({ status: 'ok' })
    })

    it('ends a run whose engine is lost while it stands still', async () => {
      const debugging = await open()
      const { lose } = debugging.namespace
      if (!lose) return expect(harness.programs.suffix).toBeDefined()
      const { run } = await debugging.runTo('loop', 'body')
      await lose.call(debugging.namespace)
      expect(await debugging.ended(run)).not.toMatchObject({ status: 'ok' })
      await delay(SETTLE_MS)
      expect(debugging.recorder.all('lost')).toHaveLength(1)
    })
  })
}
