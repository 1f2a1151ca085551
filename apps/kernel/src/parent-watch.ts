import type { Disposable } from '@llmspell/base'
import { isRunning, startTimeOf } from '@llmspell/config/process-identity'

const LOOK_EVERY_MS = 1000

/**
 * Calls `onGone` once the process is no longer there. Looks at pid and start time, not at our own parent: that may be a launcher,
 * and in a container the real parent may well be process 1.
 */
export function watchParent(pid: number, onGone: () => void): Disposable {
  const startTime = startTimeOf(pid)
  const timer = setInterval(() => {
    if (startTime !== undefined && isRunning({ pid, startTime })) return
    clearInterval(timer)
    onGone()
  }, LOOK_EVERY_MS)
  timer.unref()
  return { dispose: () => clearInterval(timer) }
}
