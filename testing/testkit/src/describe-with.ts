import { describe, test } from 'vitest'
import { missingTools, type Tool, toolsRequired } from './tools.ts'

/** A `describe` that needs other people's programs: without them it is skipped with the reason printed, or fails where they are required. */
export function describeWith(wanted: readonly Tool[], name: string, body: () => void): void {
  const missing = missingTools(wanted)
  if (missing.length === 0) {
    describe(name, body)
    return
  }
  if (toolsRequired) {
    test(`${name}: has what it needs`, () => {
      throw new Error(missing.join('; '))
    })
    return
  }
  console.warn(`skipped: ${name}: ${missing.join('; ')}`)
  describe.skip(name, body)
}
