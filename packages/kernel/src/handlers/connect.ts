import { LlmspellError } from '@llmspell/base'
import type { Handler } from '../feature.ts'
import type { Services } from '../services.ts'

export function connectHandler({ ports }: Services): Handler<unknown> {
  return () => {
    if (!ports) throw new LlmspellError('this kernel is not reached over ports', { code: 'kernel.not_supported' })
    return { status: 'ok', ...ports }
  }
}
