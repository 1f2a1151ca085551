import { LlmspellError } from '@llmspell/base'
import type { Handler } from '../feature.ts'
import type { Services } from '../services.ts'

/** The reply comes when the code has stopped, or at once when nothing runs; a second interrupt does no harm. */
export function interruptHandler({ executor }: Services): Handler<unknown> {
  return async (_content, { message }) => {
    const interrupted = await executor.interrupt(executionOf(message.metadata))
    return { status: 'ok', llmspell: { interrupted } }
  }
}

function executionOf(metadata: Record<string, unknown>): string | undefined {
  const execution = (metadata['llmspell'] as { execution?: unknown } | null | undefined)?.execution
  if (execution === undefined || typeof execution === 'string') return execution
  throw new LlmspellError('metadata.llmspell.execution: expected a string', {
    code: 'kernel.invalid_request',
    data: { path: 'metadata.llmspell.execution' },
  })
}
