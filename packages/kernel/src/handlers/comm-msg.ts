import type { ContentOf } from '@llmspell/jupyter'
import type { Handler } from '../feature.ts'
import type { Services } from '../services.ts'
import { withOrigin } from './comm-origin.ts'

export function commMsgHandler(services: Services): Handler<ContentOf<'comm_msg'>> {
  return (content, context) => withOrigin(services, context, (executionId) => services.comms.message(content, context, executionId))
}
