import { parseHitCondition } from '../../hit-condition.ts'

const LAST_POSITION = 2 ** 31 - 1

/** Why no engine could do it. */
export function refusalOf({ line, column, hitCondition }: { line?: number; column?: number; hitCondition?: string }): string | undefined {
  if (line !== undefined && !isPosition(line)) return `there is no line ${line}`
  if (column !== undefined && !isPosition(column)) return `there is no column ${column}`
  if (hitCondition !== undefined && !parseHitCondition(hitCondition))
    return `the hit condition '${hitCondition.slice(0, 100)}' is not understood: it is a number from 1 on, alone or after ==, >=, >, <=, < or %`
  return undefined
}

/** Clients send the empty fields of their forms, too. */
export function isGiven(text: string | undefined): text is string {
  return text !== undefined && text.trim() !== ''
}

function isPosition(number: number): boolean {
  return number >= 1 && number <= LAST_POSITION
}
