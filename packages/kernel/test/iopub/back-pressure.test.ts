import { silentLogger } from '@llmspell/base'
import { createMemoryTransport, type KernelTransport } from '@llmspell/jupyter'
import { expect, test } from 'vitest'
import { BackPressure } from '../../src/iopub/back-pressure.ts'
import { manualClock } from '../support/manual-clock.ts'

const HIGH_WATER = 100
const PATIENCE = 1000

test('a carrier that empties after a stall does not end the wait that has begun since', async () => {
  const clock = manualClock()
  const [memory] = createMemoryTransport()
  const flushes: (() => void)[] = []
  let backlog = 200
  const transport = Object.create(memory, {
    backlog: { get: () => backlog },
    flushed: { value: () => new Promise<void>((resolve) => flushes.push(resolve)) },
  }) as KernelTransport
  const pressure = new BackPressure(transport, HIGH_WATER, PATIENCE, clock, silentLogger)

  await (() => {
    const wait = pressure.wait()
    clock.advance(PATIENCE)
    return wait
  })()
  expect(pressure.stalled).toBe(true)

  backlog = 0
  expect(pressure.stalled).toBe(false)
  backlog = 200
  const second = pressure.wait()
  flushes[0]?.()
  await new Promise((resolve) => setImmediate(resolve))
  expect(pressure.wait()).toBe(second)
  flushes[1]?.()
  await second
  backlog = 0
  expect(pressure.wait()).toBeUndefined()
})
