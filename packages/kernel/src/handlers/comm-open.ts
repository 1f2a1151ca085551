import type { ContentOf } from '@llmspell/jupyter'
import type { Handler } from '../feature.ts'
import type { Services } from '../services.ts'
import { withOrigin } from './comm-origin.ts'

export function commOpenHandler(services: Services): Handler<ContentOf<'comm_open'>> {
  return (content, context) => withOrigin(services, context, (executionId) => services.comms.open(content, context, executionId))
}
