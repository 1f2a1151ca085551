import type { ContentOf, ShutdownExtension } from '@llmspell/jupyter'
import type { Handler } from '../feature.ts'
import type { RequestContext } from '../request-context.ts'
import type { Services } from '../services.ts'

/**
 * Ends, restarts or merely detaches. Only the client that started this kernel ends it; anyone else's request detaches, unless its
 * `metadata.llmspell` says `stop`. A restart is in place, but for a manager that waits for the process to end and launches it anew.
 */
export function shutdownHandler({ kernel, owned, relaunched, debugging, record }: Services): Handler<ContentOf<'shutdown_request'>> {
  return async ({ restart }, context) => {
    const { stop = false, inPlace = false } = extensionOf(context.message.metadata)
    const reply = { status: 'ok', restart }
    if (restart && (inPlace || !relaunched || sentByClient(context))) {
      await kernel.restart()
      return reply
    }
    if (!owned && !stop) return { ...reply, llmspell: { detached: true } }
    if (restart) await debugging.remember(record.id)
    context.publish('shutdown_reply', reply)
    context.afterReply(() => void kernel.stop('shutdown_request'))
    return reply
  }
}

/** Jupyter's client library names its sockets by its session; a kernel manager's own control socket has no name. */
function sentByClient({ peer, session }: RequestContext): boolean {
  const [identity] = peer
  return identity !== undefined && new TextDecoder().decode(identity) === session
}

function extensionOf(metadata: Record<string, unknown>): ShutdownExtension {
  const extension = metadata['llmspell']
  return typeof extension === 'object' && extension !== null ? extension : {}
}
