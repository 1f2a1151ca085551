import { expect, test } from 'vitest'
import { delay, withTimeout } from '../src/timeout.ts'

test('a wait that takes too long says what it waited for', async () => {
  await expect(withTimeout(new Promise(() => {}), 5, 'the kernel to start')).rejects.toMatchObject({
    code: 'timeout',
    message: 'timed out after 5 ms waiting for the kernel to start',
  })
  await expect(withTimeout(Promise.resolve(1), 1000, 'nothing')).resolves.toBe(1)
  await expect(withTimeout(Promise.reject(new Error('own')), 1000, 'nothing')).rejects.toThrow('own')
})

test('a delay ends early with the reason of its signal', async () => {
  const controller = new AbortController()
  const waiting = delay(60_000, controller.signal)
  controller.abort(new Error('stopped'))
  await expect(waiting).rejects.toThrow('stopped')
  await expect(delay(60_000, controller.signal)).rejects.toThrow('stopped')
})
