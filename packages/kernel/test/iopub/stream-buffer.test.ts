import type { Clock } from '@llmspell/base'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { StreamBuffer } from '../../src/iopub/stream-buffer.ts'
import { manualClock } from '../support/manual-clock.ts'

function buffer(clock: Clock): { published: [string, string][]; buffer: StreamBuffer } {
  const published: [string, string][] = []
  return { published, buffer: new StreamBuffer((name, text) => published.push([name, text]), clock) }
}

test('the first text leaves at once, what follows is joined for 20 ms', () => {
  const clock = manualClock()
  const { published, buffer: stream } = buffer(clock)
  stream.write('stdout', 'a')
  stream.write('stdout', 'b')
  stream.write('stdout', 'c')
  expect(published).toEqual([['stdout', 'a']])
  clock.advance(20)
  expect(published).toEqual([
    ['stdout', 'a'],
    ['stdout', 'bc'],
  ])
  clock.advance(20)
  stream.write('stdout', 'd')
  expect(published.at(-1)).toEqual(['stdout', 'd'])
})

test('64 Ki units leave at once', () => {
  const { published, buffer: stream } = buffer(manualClock())
  stream.write('stdout', 'a')
  stream.write('stdout', 'b'.repeat(65_536))
  expect(published).toHaveLength(2)
})

test('joined or not: order and text of both streams are kept', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom('stdout' as const, 'stderr' as const), fc.string({ maxLength: 5 }), fc.nat(25))),
      (writes) => {
        const clock = manualClock()
        const { published, buffer: stream } = buffer(clock)
        for (const [name, text, pause] of writes) {
          stream.write(name, text)
          clock.advance(pause)
        }
        stream.flush()
        const units = (list: readonly (readonly [string, string, ...unknown[]])[]) =>
          list.flatMap(([name, text]) => Array.from(text).map((character) => `${name} ${character}`))
        expect(units(published)).toEqual(units(writes))
        expect(published.every(([, text]) => text !== '')).toBe(true)
      },
    ),
  )
})
