import { describe, expect, it } from 'vitest'
import type { DebugTargetSuite } from '../describe-debug-target.ts'

export function exceptionRules({ open }: DebugTargetSuite): void {
  describe('errors', () => {
    it('stops at none without a filter', async () => {
      const debugging = await open()
      expect(await debugging.ended(debugging.run('uncaught'))).toMatchObject({ status: 'error' })
      expect(await debugging.ended(debugging.run('caught'))).toMatchObject({ status: 'ok' })
      expect(debugging.recorder.all('stopped')).toEqual([])
    })

    it('stops where an error is raised that nothing catches, with its frames', async () => {
      const debugging = await open()
      expect(debugging.target.features.exceptionFilters).toContain('uncaught')
      await debugging.target.setExceptionFilters([{ filter: 'uncaught' }])
      expect(await debugging.ended(debugging.run('caught'))).toMatchObject({ status: 'ok' })
      expect(debugging.recorder.all('stopped')).toEqual([])
      const run = debugging.run('uncaught')
      const stop = await debugging.stop()
      expect(stop).toMatchObject({ reason: 'exception', text: expect.stringContaining('broken') })
      expect(stop.frames.map(({ line }) => line)).toContain(debugging.line('uncaught', 'raise'))
      const info = await debugging.target.exceptionInfo(stop.threadId)
      expect(info).toMatchObject({ uncaught: true, description: expect.stringContaining('broken') })
      expect(info?.id).not.toBe('')
      const at = stop.frames.findIndex(({ line }) => line === debugging.line('uncaught', 'raise'))
      expect((await debugging.recorder.local('detail', stop.threadId, at)).value).toBe('42')
      expect(await debugging.finish(stop, run)).toMatchObject({ status: 'error' })
    })

    it('stops where an error is raised that will be caught', async () => {
      const debugging = await open()
      expect(debugging.target.features.exceptionFilters).toContain('caught')
      await debugging.target.setExceptionFilters([{ filter: 'caught' }])
      const run = debugging.run('caught')
      const stop = await debugging.stop()
      expect(stop.reason).toBe('exception')
      expect(await debugging.target.exceptionInfo(stop.threadId)).toMatchObject({ uncaught: false })
      expect(await debugging.finish(stop, run)).toMatchObject({ status: 'ok' })
      expect(debugging.namespace.printed()).toMatch(/caught/)
      expect(debugging.recorder.all('stopped')).toHaveLength(1)
    })

    it('stops under the condition of a filter', async () => {
      const debugging = await open()
      await debugging.target.setExceptionFilters([{ filter: 'caught', condition: 'detail == 1' }])
      expect(await debugging.ended(debugging.run('caught'))).toMatchObject({ status: 'ok' })
      expect(debugging.recorder.all('stopped')).toEqual([])
      await debugging.target.setExceptionFilters([{ filter: 'caught', condition: 'detail == 42' }])
      const run = debugging.run('caught')
      const stop = await debugging.stop()
      expect(await debugging.finish(stop, run)).toMatchObject({ status: 'ok' })
    })

    it('knows of no error at another stop', async () => {
      const debugging = await open()
      const { stop, run } = await debugging.runTo('assign', 'stop')
      expect(await debugging.target.exceptionInfo(stop.threadId)).toBeUndefined()
      await debugging.finish(stop, run)
    })
  })
}
