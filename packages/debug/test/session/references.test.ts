import { codeOf } from '@llmspell/base'
import { expect, it } from 'vitest'
import type { EngineLink } from '../../src/engine-link.ts'
import { References } from '../../src/session/references.ts'

const [one, two] = [{ ordinal: 1 }, { ordinal: 2 }] as unknown as [EngineLink, EngineLink]

function codeOfThrown(run: () => unknown): string | undefined {
  try {
    run()
  } catch (error) {
    return codeOf(error)
  }
  return undefined
}

it('numbers frames and variables of all engines once', () => {
  const references = new References()
  const frame = references.frame(one, 7)
  const variables = references.variables(two, 7, undefined)
  expect(frame).not.toBe(variables)
  expect(references.resolveFrame(frame)).toMatchObject({ link: one, id: 7 })
  expect(references.resolveVariables(variables)).toMatchObject({ link: two, reference: 7 })
  expect(references.variables(one, 0, undefined)).toBe(0)
  references.forget(one)
  expect(codeOfThrown(() => references.resolveFrame(frame))).toBe('debug.stale_reference')
  expect(references.resolveVariables(variables).reference).toBe(7)
  expect(references.frame(one, 7)).toBeGreaterThan(variables)
  for (const never of [0, -1, 99, 1.5, Number.NaN]) expect(codeOfThrown(() => references.resolveFrame(never))).toMatch(/bad_request|stale/)
})

it('forgets the oldest when a script never goes on', () => {
  const references = new References()
  const first = references.frame(one, 1)
  for (let at = 0; at < 1_000_000; at++) references.variables(one, 5, undefined)
  expect(codeOfThrown(() => references.resolveFrame(first))).toBe('debug.stale_reference')
  expect(references.resolveVariables(first + 1_000_000).reference).toBe(5)
})
