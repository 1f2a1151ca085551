import type { ContentOf } from '@llmspell/jupyter'
import type { Handler } from '../feature.ts'
import type { Services } from '../services.ts'

export function commInfoHandler({ comms }: Services): Handler<ContentOf<'comm_info_request'>> {
  return ({ target_name }) => ({ status: 'ok', comms: comms.list(target_name) })
}
