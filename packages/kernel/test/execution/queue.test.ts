import { expect, test } from 'vitest'
import type { Execution } from '../../src/execution/execution.ts'
import { ExecutionQueue } from '../../src/execution/queue.ts'

interface Line {
  /** `client engine`, such as `ann lua`. */
  push(...names: string[]): void
  end(name: string): Promise<void>
  hold(name: string): void
  begun: string[]
  queue: ExecutionQueue
}

function line(): Line {
  const begun: string[] = []
  const held = new Set<string>()
  const pending = new Map<string, () => void>()
  const nameOf = (execution: Execution): string => execution.id
  const queue = new ExecutionQueue({
    run(execution) {
      begun.push(nameOf(execution))
      return new Promise((resolve) => pending.set(nameOf(execution), resolve))
    },
    isHeld: (execution) => held.has(nameOf(execution)),
    engineOf: (execution) => nameOf(execution).split(' ')[1],
  })
  return {
    begun,
    queue,
    push(...names) {
      for (const id of names) queue.push({ id, session: id.split(' ')[0] } as Execution)
    },
    async end(name) {
      held.delete(name)
      pending.get(name)?.()
      await new Promise((resolve) => setImmediate(resolve))
    },
    hold(name) {
      held.add(name)
      queue.advance()
    },
  }
}

test('one at a time, in the order they came, whatever engine and client', async () => {
  const { push, end, begun } = line()
  push('ann lua', 'bob js', 'ann js 2')
  expect(begun).toEqual(['ann lua'])
  await end('ann lua')
  expect(begun).toEqual(['ann lua', 'bob js'])
  await end('bob js')
  expect(begun).toEqual(['ann lua', 'bob js', 'ann js 2'])
})

test('past one that a debugger holds goes what has another client and another engine', async () => {
  const { push, end, hold, begun } = line()
  push('ann lua', 'ann js', 'bob lua', 'bob js', 'cid js 1', 'cid js 2')
  expect(begun).toEqual(['ann lua'])
  hold('ann lua')
  // bob's own Lua code stands before his JavaScript, ann's JavaScript before cid's.
  expect(begun).toEqual(['ann lua'])
  push('dan ts')
  expect(begun).toEqual(['ann lua', 'dan ts'])
  push('eve py')
  expect(begun).toEqual(['ann lua', 'dan ts'])
  await end('dan ts')
  expect(begun).toEqual(['ann lua', 'dan ts', 'eve py'])
  await end('eve py')
  await end('ann lua')
  expect(begun.slice(3)).toEqual(['ann js'])
})

test('nothing goes past once it is no longer held, and the next waits for all that run', async () => {
  const { push, end, hold, begun } = line()
  push('ann lua')
  hold('ann lua')
  push('bob js 1', 'bob js 2', 'cid lua')
  expect(begun).toEqual(['ann lua', 'bob js 1'])
  await end('ann lua')
  expect(begun).toEqual(['ann lua', 'bob js 1'])
  await end('bob js 1')
  expect(begun).toEqual(['ann lua', 'bob js 1', 'bob js 2'])
  await end('bob js 2')
  expect(begun.at(-1)).toBe('cid lua')
})

test('one that went past and is held itself is passed, too', () => {
  const { push, hold, begun, queue } = line()
  push('ann lua')
  hold('ann lua')
  push('bob js')
  hold('bob js')
  push('cid ts')
  expect(begun).toEqual(['ann lua', 'bob js', 'cid ts'])
  expect(queue.running.size).toBe(3)
})
