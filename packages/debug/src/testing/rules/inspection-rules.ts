import { codeOf } from '@llmspell/base'
import { describe, expect, it } from 'vitest'
import type { Variable } from '../../debug-target.ts'
import type { Debugging, Outcome, Stop } from '../debugging.ts'
import type { DebugTargetSuite } from '../describe-debug-target.ts'

const ENTRIES = 25_000
const MOST_AT_ONCE = 10_000

export function inspectionRules({ open, openDetached, harness }: DebugTargetSuite): void {
  const atData = async (): Promise<{ debugging: Debugging; stop: Stop; run: Promise<Outcome> }> => {
    const debugging = await open()
    return { debugging, ...(await debugging.runTo('data', 'stop')) }
  }
  const find = (variables: readonly Variable[], name: string): Variable => {
    const found = variables.find((variable) => variable.name === name)
    if (!found) throw new Error(`no ${name} in ${variables.map((variable) => variable.name).join(', ')}`)
    return found
  }

  describe('inspection', () => {
    it('shows locals with values and types', async () => {
      const { debugging, stop, run } = await atData()
      expect(await debugging.recorder.local('text', stop.threadId)).toMatchObject({ value: expect.stringMatching(/hello/), reference: 0 })
      expect(await debugging.recorder.local('flag', stop.threadId)).toMatchObject({ value: 'true', type: 'boolean' })
      expect((await debugging.recorder.local('count', stop.threadId)).value).toMatch(/^0(\.0)?$/)
      await debugging.finish(stop, run)
    })

    it('opens what is inside, and inside that, also when it holds itself', async () => {
      const { debugging, stop, run } = await atData()
      const record = await debugging.recorder.local('record', stop.threadId)
      expect(record.reference).toBeGreaterThan(0)
      const fields = await debugging.target.variables(record.reference, {})
      expect(find(fields, 'name').value).toMatch(/ada/)
      expect(find(await debugging.target.variables(find(fields, 'nested').reference, {}), 'deep').value).toBe('7')
      const self = find(fields, 'self')
      expect(find(await debugging.target.variables(self.reference, {}), 'name').value).toMatch(/ada/)
      await debugging.finish(stop, run)
    })

    it('gives large lists in pages and never all at once', async () => {
      const { debugging, stop, run } = await atData()
      const list = await debugging.recorder.local('list', stop.threadId)
      expect(list.indexed).toBe(ENTRIES)
      const page = await debugging.target.variables(list.reference, { filter: 'indexed', start: 20_000, count: 3 })
      expect(page.map(({ value }) => value)).toEqual(['200010', '200020', '200030'])
      expect(await debugging.target.variables(list.reference, { filter: 'indexed' })).toHaveLength(MOST_AT_ONCE)
      expect(await debugging.target.variables(list.reference, { filter: 'indexed', start: ENTRIES - 1, count: 100 })).toHaveLength(1)
      expect(await debugging.target.variables(list.reference, { filter: 'indexed', start: ENTRIES + 5, count: 100 })).toEqual([])
      const named = await debugging.target.variables(list.reference, { filter: 'named' })
      expect(named.every(({ value }) => !/^\d+$/.test(value) || Number(value) === ENTRIES)).toBe(true)
      await debugging.finish(stop, run)
    })

    it('gives the expression that reads a value again', async () => {
      const { debugging, stop, run } = await atData()
      const record = await debugging.recorder.local('record', stop.threadId)
      const nested = find(await debugging.target.variables(record.reference, {}), 'nested')
      const deep = find(await debugging.target.variables(nested.reference, {}), 'deep')
      expect(await debugging.value(deep.evaluateName ?? '', stop)).toBe('7')
      await debugging.finish(stop, run)
    })

    it('names scopes and says what is expensive', async () => {
      const { debugging, stop, run } = await atData()
      const scopes = await debugging.target.scopes(stop.frames[0]?.id ?? -1)
      expect(scopes.length).toBeGreaterThan(0)
      expect(scopes.every(({ name, reference, expensive }) => name !== '' && reference > 0 && typeof expensive === 'boolean')).toBe(true)
      expect(scopes.some(({ hint, expensive }) => hint === 'locals' && !expensive)).toBe(true)
      expect(new Set(scopes.map(({ reference }) => reference)).size).toBe(scopes.length)
      await debugging.finish(stop, run)
    })

    it('shows stacks from any frame on, and how many there are', async () => {
      const debugging = await open()
      const { stop, run } = await debugging.runTo('deep', 'deep')
      const { frames, total } = await debugging.target.stackTrace(stop.threadId, 0, 0)
      expect(frames.length).toBeGreaterThan(500)
      if (total !== undefined) expect(total).toBe(frames.length)
      const some = await debugging.target.stackTrace(stop.threadId, 100, 5)
      expect(some.frames).toHaveLength(5)
      expect(some.frames.map(({ line, name }) => ({ line, name }))).toEqual(
        frames.slice(100, 105).map(({ line, name }) => ({ line, name })),
      )
      expect((await debugging.recorder.local('n', stop.threadId, 100)).value).toBe('100')
      expect((await debugging.target.stackTrace(stop.threadId, 100_000, 5)).frames).toEqual([])
      await debugging.finish(stop, run)
    })

    it('refuses references of a stop that is over', async () => {
      const { debugging, stop, run } = await atData()
      const record = await debugging.recorder.local('record', stop.threadId)
      const next = await debugging.step(stop, 'next')
      const frame = stop.frames[0]?.id ?? -1
      for (const ask of [
        () => debugging.target.variables(record.reference, {}),
        () => debugging.target.setVariable(record.reference, 'name', '1'),
        () => debugging.target.scopes(frame),
        () => debugging.target.evaluate('1', frame, 'watch'),
      ])
        expect(codeOf(await ask().catch((error: unknown) => error))).toBe('debug.stale_reference')
      await debugging.finish(next, run)
    })

    it('refuses references that never were', async () => {
      const { debugging, stop, run } = await atData()
      for (const wrong of [-1, 0, 2 ** 31 - 1, 123_456_789]) {
        await expect(debugging.target.variables(wrong, {})).rejects.toThrow()
        await expect(debugging.target.scopes(wrong)).rejects.toThrow()
      }
      await debugging.finish(stop, run)
    })

    it('changes variables, and the program sees it', async () => {
      const debugging = await open()
      const { stop, run } = await debugging.runTo('assign', 'stop')
      const { scope } = await debugging.recorder.local('value', stop.threadId)
      expect((await debugging.target.setVariable(scope, 'value', '40 + 1')).value).toBe('41')
      expect((await debugging.recorder.local('value', stop.threadId)).value).toBe('41')
      expect(await debugging.finish(stop, run)).toMatchObject({ status: 'ok' })
      expect(debugging.namespace.printed()).toMatch(/value\s+41/)
    })

    it('changes fields', async () => {
      const { debugging, stop, run } = await atData()
      const record = await debugging.recorder.local('record', stop.threadId)
      await debugging.target.setVariable(record.reference, 'name', '"grace"')
      expect(await debugging.value('record.name', stop)).toMatch(/grace/)
      await debugging.finish(stop, run)
    })

    it('refuses a value that cannot be evaluated, and a name that is not there', async () => {
      const debugging = await open()
      const { stop, run } = await debugging.runTo('assign', 'stop')
      const { scope } = await debugging.recorder.local('value', stop.threadId)
      const error = await debugging.target.setVariable(scope, 'value', '1 +').catch((thrown: unknown) => thrown)
      expect(codeOf(error)).toBe('debug.evaluation_failed')
      await expect(debugging.target.setVariable(scope, 'noSuchVariable', '1')).rejects.toThrow()
      expect(await debugging.finish(stop, run)).toMatchObject({ status: 'ok' })
      expect(debugging.namespace.printed()).toMatch(/value\s+1/)
    })

    it('shows what scripts made in the namespace, also without being attached', async () => {
      const debugging = await openDetached()
      expect(await debugging.ended(debugging.run('globals'))).toMatchObject({ status: 'ok' })
      const { reference } = await debugging.target.globals()
      const variables = await debugging.target.variables(reference, {})
      expect(find(variables, 'answer').value).toBe('42')
      expect(find(variables, 'greeting').value).toMatch(/hello/)
      expect(variables.map(({ name }) => name)).not.toContain('print')
      expect(variables.map(({ name }) => name)).not.toContain('console')
    })

    it('reads memory where it can', async () => {
      const debugging = await open()
      if (!debugging.target.features.readMemory || !harness.programs.memory) {
        await expect(debugging.target.readMemory('nothing', 0, 4)).rejects.toThrow()
        return
      }
      const { stop, run } = await debugging.runTo('memory', 'stop')
      const { memoryReference = '' } = await debugging.recorder.local('bytes', stop.threadId)
      expect([...(await debugging.target.readMemory(memoryReference, 1, 2)).data]).toEqual([2, 3])
      expect(await debugging.target.readMemory(memoryReference, 2, 10)).toMatchObject({ data: new Uint8Array([3, 4]), unreadable: 8 })
      await debugging.finish(stop, run)
    })
  })
}
