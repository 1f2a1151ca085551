import { expect, test } from 'vitest'
import { Emitter } from '../src/emitter.ts'

test('listeners run in order and stop when disposed, also while an event is delivered', () => {
  const emitter = new Emitter<number>()
  const seen: string[] = []
  const first = emitter.on((value) => {
    seen.push(`first ${value}`)
    first.dispose()
  })
  emitter.on((value) => seen.push(`second ${value}`))
  emitter.emit(1)
  emitter.emit(2)
  expect(seen).toEqual(['first 1', 'second 1', 'second 2'])
  expect(emitter.listenerCount).toBe(1)
})

test('the same function added twice is two listeners', () => {
  const emitter = new Emitter<void>()
  let calls = 0
  const listener = (): void => void calls++
  const one = emitter.on(listener)
  emitter.on(listener)
  one.dispose()
  emitter.emit()
  expect(calls).toBe(1)
})
