import type { ContentOf } from '@llmspell/jupyter'
import type { Handler } from '../feature.ts'
import type { Services } from '../services.ts'
import { withOrigin } from './comm-origin.ts'

export function commCloseHandler(services: Services): Handler<ContentOf<'comm_close'>> {
  return (content, context) => withOrigin(services, context, (executionId) => services.comms.close(content, context, executionId))
}
