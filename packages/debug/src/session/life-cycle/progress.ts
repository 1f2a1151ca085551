import type { Disposable } from '@llmspell/base'
import type { SessionContext } from '../session-context.ts'

/** Milliseconds after which a person wonders. */
const PATIENCE = 500

let count = 0

/** Tells the client, if it wants to know, that something takes its time. Dispose it when that is done. */
export function showProgress(context: SessionContext, title: string, requestId: number): Disposable & { readonly id: string } {
  const progressId = `start-${++count}`
  let shown = false
  const timer = context.clock.setTimeout(() => {
    if (!context.client.wantsProgress) return
    shown = true
    context.event('progressStart', { progressId, title, requestId, cancellable: true })
  }, PATIENCE)
  return {
    id: progressId,
    dispose() {
      timer.cancel()
      if (shown) context.event('progressEnd', { progressId })
      shown = false
    },
  }
}
