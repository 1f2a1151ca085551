import { delay } from '@llmspell/base'

/** Polls until `look` returns something true and returns it; after `ms` milliseconds fails saying what was waited for. */
export async function until<T>(what: string, look: () => T | Promise<T>, ms: number): Promise<NonNullable<T>> {
  const end = Date.now() + ms
  let last: unknown
  for (;;) {
    try {
      const seen = await look()
      if (seen) return seen
      last = undefined
    } catch (error) {
      last = error
    }
    if (Date.now() > end) throw new Error(`waited ${ms} ms in vain: ${what}`, { cause: last })
    await delay(25)
  }
}
