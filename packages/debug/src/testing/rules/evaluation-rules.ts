import { codeOf } from '@llmspell/base'
import { describe, expect, it } from 'vitest'
import { STEP_TIMEOUT_MS } from '../debugging.ts'
import type { DebugTargetSuite } from '../describe-debug-target.ts'

export function evaluationRules({ open }: DebugTargetSuite): void {
  describe('evaluation', () => {
    it('evaluates in a frame, also in one further down', async () => {
      const debugging = await open()
      const { stop, run } = await debugging.runTo('calls', 'inner')
      expect(await debugging.value('n * 10', stop)).toBe('30')
      const outer = await debugging.target.evaluate('n + 1', stop.frames[1]?.id, 'watch')
      expect(outer.value).toBe('4')
      expect(await debugging.finish(stop, run)).toMatchObject({ status: 'ok' })
    })

    it('changes locals by assignment in the console, and the program sees it', async () => {
      const debugging = await open()
      const { stop, run } = await debugging.runTo('assign', 'stop')
      await debugging.target.evaluate('value = 7', stop.frames[0]?.id, 'repl')
      expect(await debugging.value('value', stop)).toBe('7')
      expect(await debugging.finish(stop, run)).toMatchObject({ status: 'ok' })
      expect(debugging.namespace.printed()).toMatch(/value\s+7/)
    })

    it('sets what an expression names', async () => {
      const debugging = await open()
      const { stop, run } = await debugging.runTo('data', 'stop')
      expect((await debugging.target.setExpression('record.nested.deep', stop.frames[0]?.id, '3 * 3')).value).toBe('9')
      expect(await debugging.value('record.nested.deep', stop)).toBe('9')
      await debugging.finish(stop, run)
    })

    it('answers errors of the expression as such', async () => {
      const debugging = await open()
      const { stop, run } = await debugging.runTo('assign', 'stop')
      for (const expression of ['value +', 'nothing.there.is', '((((', ''])
        for (const context of ['watch', 'repl', 'hover'] as const) {
          if (expression === '' && context === 'repl') continue
          const answer = await debugging.target.evaluate(expression, stop.frames[0]?.id, context).catch((error: unknown) => error)
          expect(codeOf(answer), `${context} ${expression}`).toBe('debug.evaluation_failed')
        }
      expect(debugging.recorder.all('stopped')).toHaveLength(1)
      expect(await debugging.finish(stop, run)).toMatchObject({ status: 'ok' })
    })

    it('changes nothing when it hovers', async () => {
      const debugging = await open()
      const { stop, run } = await debugging.runTo('data', 'stop')
      const frame = stop.frames[0]?.id
      expect((await debugging.target.evaluate('record.nested.deep', frame, 'hover')).value).toBe('7')
      for (const expression of ['bump()', 'record.name = 1', 'count = 5'])
        expect(codeOf(await debugging.target.evaluate(expression, frame, 'hover').catch((error: unknown) => error)), expression).toBe(
          'debug.evaluation_failed',
        )
      expect(await debugging.value('count', stop)).toMatch(/^0(\.0)?$/)
      expect((await debugging.target.evaluate('bump()', frame, 'repl')).value).toBe('1')
      await debugging.finish(stop, run)
      expect(debugging.namespace.printed()).toMatch(/count\s+1/)
    })

    it('opens what it evaluated', async () => {
      const debugging = await open()
      const { stop, run } = await debugging.runTo('data', 'stop')
      const nested = await debugging.target.evaluate('record.nested', stop.frames[0]?.id, 'watch')
      const fields = await debugging.target.variables(nested.reference, {})
      expect(fields.find(({ name }) => name === 'deep')?.value).toBe('7')
      await debugging.finish(stop, run)
    })

    it('evaluates in the namespace without a frame, while something runs, too', async () => {
      const debugging = await open()
      await debugging.ended(debugging.run('globals'))
      expect((await debugging.target.evaluate('answer + 1', undefined, 'repl')).value).toBe('43')
      const run = debugging.run('busy')
      await debugging.recorder.until(
        'the source',
        () => debugging.recorder.all('source').find(({ source }) => source === debugging.source('busy')),
        STEP_TIMEOUT_MS,
      )
      expect((await debugging.target.evaluate('answer + 1', undefined, 'watch')).value).toBe('43')
      await debugging.namespace.interrupt()
      await debugging.ended(run)
    })

    it('cuts long strings, and marks that', async () => {
      const debugging = await open()
      const { stop, run } = await debugging.runTo('data', 'stop')
      const { value } = await debugging.target.evaluate(debugging.programs.longString, stop.frames[0]?.id, 'watch')
      expect(value.length).toBeLessThan(100_000)
      expect(value).not.toContain('\n')
      await debugging.finish(stop, run)
    })

    it('completes names of the frame and fields', async () => {
      const debugging = await open()
      const { stop, run } = await debugging.runTo('data', 'stop')
      const frame = stop.frames[0]?.id
      const names = await debugging.target.completions('1 + rec', 7, frame)
      expect(names.find(({ label }) => label === 'record')).toMatchObject({ start: 4, length: 3 })
      const fields = await debugging.target.completions('record.ne', 9, frame)
      expect(fields.find(({ label }) => label === 'nested')).toMatchObject({ start: 7, length: 2 })
      expect(await debugging.target.completions('((', 2, frame)).toBeInstanceOf(Array)
      await debugging.finish(stop, run)
    })
  })
}
