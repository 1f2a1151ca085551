import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hitConditionMet, parseHitCondition } from '../src/index.ts'

const met = (text: string): number[] => {
  const condition = parseHitCondition(text)
  return condition ? Array.from({ length: 10 }, (_, index) => index + 1).filter((hits) => hitConditionMet(condition, hits)) : []
}

describe('hit conditions', () => {
  it.each([
    ['5', [5]],
    ['==5', [5]],
    [' = 5 ', [5]],
    ['>= 8', [8, 9, 10]],
    ['> 8', [9, 10]],
    ['<= 2', [1, 2]],
    ['< 2', [1]],
    ['%4', [4, 8]],
    ['>= 0', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
  ])('%j', (text, hits) => {
    expect(met(text)).toEqual(hits)
  })

  it.each(['', 'x', '5 5', '-1', '1.5', '!= 3', '>', '% 0', '0', '< 1', '<= 0', '== 0', '=> 3', '1e3', '99999999999999999999'])(
    'refuses %j',
    (text) => {
      expect(parseHitCondition(text)).toBeUndefined()
    },
  )

  it('understands or refuses any text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const condition = parseHitCondition(text)
        return condition === undefined || (Number.isSafeInteger(condition.count) && typeof hitConditionMet(condition, 1) === 'boolean')
      }),
    )
  })
})
