import { promisify } from 'node:util'
import { Interrupted } from './cell.ts'
import type { ScriptThread } from './script-thread.ts'
import { PURGE } from './shared.ts'

/** Timers remember their cell, so that an interrupt can end them; a loop of nextTicks can be cut. */
export function installTimers(thread: ScriptThread, words: Int32Array): void {
  for (const name of ['setTimeout', 'setInterval', 'setImmediate'] as const) {
    const original = globalThis[name] as (...args: unknown[]) => object
    const wrapped = {
      [name](...args: unknown[]): object {
        const cell = thread.cells.getStore()
        if (cell === undefined || (cell.done && !cell.cancelled)) return original(...args)
        if (cell.cancelled) throw new Interrupted()
        const timer = original(...args)
        cell.addTimer(timer)
        return timer
      },
    }[name] as object
    const custom = (original as unknown as Record<symbol, unknown>)[promisify.custom]
    if (custom) Object.defineProperty(wrapped, promisify.custom, { value: custom })
    Object.defineProperty(globalThis, name, { value: wrapped, writable: true, configurable: true, enumerable: true })
  }
  const { nextTick } = process
  process.nextTick = ((...args: Parameters<typeof nextTick>) => {
    if (words[PURGE] === 0) nextTick(...args)
  }) as typeof nextTick
}
