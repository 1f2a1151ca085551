import { inspect } from 'node:util'
import type { MimeBundle } from '../../engine.ts'

/** A value as a front end shows it; nothing for undefined. */
export function toBundle(value: unknown): MimeBundle | undefined {
  if (value === undefined) return undefined
  return { 'text/plain': inspect(value) }
}
