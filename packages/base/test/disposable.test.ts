import { expect, test } from 'vitest'
import { DisposableStore, toDisposable } from '../src/disposable.ts'

test('a disposable runs once', () => {
  let runs = 0
  const disposable = toDisposable(() => runs++)
  disposable.dispose()
  disposable.dispose()
  expect(runs).toBe(1)
})

test('a store disposes in reverse order, and late arrivals at once', () => {
  const order: string[] = []
  const store = new DisposableStore()
  store.add(toDisposable(() => order.push('first')))
  store.add(toDisposable(() => order.push('second')))
  store.dispose()
  expect(order).toEqual(['second', 'first'])
  store.add(toDisposable(() => order.push('late')))
  expect(order).toEqual(['second', 'first', 'late'])
  expect(store.disposed).toBe(true)
})
