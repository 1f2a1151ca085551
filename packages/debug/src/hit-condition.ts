/** `5` is `==`. */
export interface HitCondition {
  operator: '==' | '>=' | '>' | '<=' | '<' | '%'
  count: number
}

/** Undefined: not understood, or never true (`0`, `< 1`, `% 0`). Any white space; `=` is `==`. */
export function parseHitCondition(text: string): HitCondition | undefined {
  const match = /^\s*(==?|>=|>|<=|<|%)?\s*(\d{1,15})\s*$/.exec(text)
  if (!match) return undefined
  const count = Number(match[2])
  const operator = match[1] === undefined || match[1] === '=' ? '==' : (match[1] as HitCondition['operator'])
  const neverTrue = operator === '<' ? count <= 1 : count < 1 && operator !== '>=' && operator !== '>'
  return neverTrue ? undefined : { operator, count }
}

/** `hits` counts this hit, too: 1 for the first. */
export function hitConditionMet({ operator, count }: HitCondition, hits: number): boolean {
  switch (operator) {
    case '==':
      return hits === count
    case '>=':
      return hits >= count
    case '>':
      return hits > count
    case '<=':
      return hits <= count
    case '<':
      return hits < count
    case '%':
      return hits % count === 0
  }
}
