import type { ContentOf } from '@llmspell/jupyter'
import type { Envelope } from '../routing/envelope.ts'
import type { Services } from '../services.ts'

export function executeHandler({ executor }: Services): (content: ContentOf<'execute_request'>, envelope: Envelope) => void {
  return (content, envelope) => executor.submit(content, envelope)
}
