import { delay, LlmspellError } from '@llmspell/base'
import { isRunning } from '@llmspell/config/process-identity'
import type { KernelRecord } from '@llmspell/jupyter'
import { logTail } from './log-tail.ts'

/** A dying process closes its sockets a moment before it is gone. */
const DYING_MS = 500

/** Why a kernel of this machine could not be connected to: it has ended, or it runs and does not answer. */
export async function connectionFailure(record: KernelRecord, cause: unknown): Promise<LlmspellError> {
  const { id, pid } = record
  if (await isGone(record)) {
    return new LlmspellError(`the kernel "${id}" (process ${pid}) ended while connecting to it`, {
      code: 'kernel.died',
      data: { id, pid },
      cause,
      hint: lastWords(record),
    })
  }
  return new LlmspellError(`the kernel "${id}" (process ${pid}) runs but does not answer`, {
    code: 'kernel.unresponsive',
    data: { id, pid },
    cause,
    hint: `It may be stopped (SIGSTOP) or swapped out. \`llmspell kernel stop ${id} --force\` ends it.`,
  })
}

async function isGone(record: KernelRecord): Promise<boolean> {
  const end = performance.now() + DYING_MS
  while (isRunning(record)) {
    if (performance.now() > end) return false
    await delay(20)
  }
  return true
}

/** What a dead kernel wrote to its log that was not routine. */
export function lastWords({ logFile, pid }: KernelRecord): string {
  if (logFile === undefined) return 'It kept no log.'
  const lines = logTail(logFile, 200).split('\n')
  const begun = lines.findLastIndex((line) => line.includes(`"pid":${pid},`))
  const telling = lines
    .slice(begun + 1)
    .filter((line) => line && !isRoutine(line))
    .slice(-8)
  return telling.length > 0 ? `The last lines of its log:\n    ${telling.join('\n    ')}` : `Its log, ${logFile}, does not say why.`
}

/** Structured lines below warnings; anything else a process prints when it dies is worth reading. */
function isRoutine(line: string): boolean {
  return /^\{.*"level":"(trace|debug|info)"/.test(line)
}
