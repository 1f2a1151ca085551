import type { ContentOf } from '@llmspell/jupyter'
import type { Handler } from '../feature.ts'
import type { Services } from '../services.ts'

/** Where debuggers connect that speak the Debug Adapter Protocol themselves. */
export function startDebugServerHandler({ debugging }: Services): Handler<ContentOf<'start_debug_server_request'>> {
  return (content) => debugging.startServer(content)
}

export function stopDebugServerHandler({ debugging }: Services): Handler<unknown> {
  return async () => ({ status: 'ok', stopped: await debugging.stopServer() })
}
