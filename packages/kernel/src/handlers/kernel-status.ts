import type { Handler } from '../feature.ts'
import type { Services } from '../services.ts'

export function kernelStatusHandler({ status }: Services): Handler<unknown> {
  return () => status()
}
