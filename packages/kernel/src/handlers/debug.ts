import type { ContentOf } from '@llmspell/jupyter'
import type { Handler } from '../feature.ts'
import type { Services } from '../services.ts'

/** Never fails: a debug reply carries a DAP response, which tells itself whether the request succeeded. */
export function debugHandler({ debugging }: Services): Handler<ContentOf<'debug_request'>> {
  return (content, context) => debugging.request(content, context)
}
