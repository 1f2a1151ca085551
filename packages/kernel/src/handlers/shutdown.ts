import type { ContentOf, ShutdownExtension } from '@llmspell/jupyter'
import type { Handler } from '../feature.ts'
import type { Services } from '../services.ts'

/**
 * Ends, restarts or merely detaches. A client that started this kernel ends it; before a restart as well, for it waits for the
 * process to go and launches it anew. Anyone else's request detaches, unless its `metadata.llmspell` says `stop`, and restarts in place.
 */
export function shutdownHandler({ kernel, owned }: Services): Handler<ContentOf<'shutdown_request'>> {
  return async ({ restart }, context) => {
    const { stop = false, inPlace = false } = extensionOf(context.message.metadata)
    const reply = { status: 'ok', restart }
    if (restart && (inPlace || !owned)) {
      await kernel.restart()
      return reply
    }
    if (!owned && !stop) return { ...reply, llmspell: { detached: true } }
    context.publish('shutdown_reply', reply)
    context.afterReply(() => void kernel.stop('shutdown_request'))
    return reply
  }
}

function extensionOf(metadata: Record<string, unknown>): ShutdownExtension {
  const extension = metadata['llmspell']
  return typeof extension === 'object' && extension !== null ? extension : {}
}
