import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AsyncQueue } from '../src/async-queue.ts'

test('delivers everything in order, whatever the interleaving of pushes and reads', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(fc.integer(), { maxLength: 20 }), { maxLength: 20 }), async (batches) => {
      const queue = new AsyncQueue<number>()
      const seen: number[] = []
      const reading = (async () => {
        for await (const item of queue) seen.push(item)
      })()
      for (const batch of batches) {
        for (const item of batch) queue.push(item)
        await Promise.resolve()
      }
      queue.close()
      await reading
      expect(seen).toEqual(batches.flat())
    }),
  )
})

test('forgets what was read: a long queue does not grow', async () => {
  const queue = new AsyncQueue<number>()
  const reader = queue[Symbol.asyncIterator]()
  for (let i = 0; i < 10_000; i++) queue.push(i)
  for (let i = 0; i < 10_000; i++) expect((await reader.next()).value).toBe(i)
  expect(queue.size).toBe(0)
})

test('close ends waiting readers, and pushes after it are ignored', async () => {
  const queue = new AsyncQueue<number>()
  const waiting = queue[Symbol.asyncIterator]().next()
  queue.close()
  queue.push(1)
  expect((await waiting).done).toBe(true)
  expect(queue.size).toBe(0)
})
