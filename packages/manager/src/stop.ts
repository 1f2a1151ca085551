import { codeOf, delay, LlmspellError } from '@llmspell/base'
import type { LlmspellPaths } from '@llmspell/config/paths'
import { isRunning } from '@llmspell/config/process-identity'
import { connectTo } from './connect.ts'
import type { RegisteredKernel } from './registry.ts'
import { sweep } from './sweep.ts'

export type StopOutcome = 'stopped' | 'terminated' | 'killed'

export interface StopOptions {
  /** Do not ask: SIGTERM at once. */
  force?: boolean
  /** Milliseconds the kernel may take after being asked. Default 15 000. */
  timeoutMs?: number
}

/** Milliseconds after SIGTERM until SIGKILL. */
const TERM_MS = 5_000
const KILL_MS = 10_000

/**
 * Asks the kernel to end, then signals it; returns what it took. What it left behind is removed. Code `kernel.not_stopped` when even
 * SIGKILL did not end it.
 */
export async function stopKernel(paths: LlmspellPaths, kernel: RegisteredKernel, options: StopOptions = {}): Promise<StopOutcome> {
  const outcome = await end(kernel, options)
  sweep(paths)
  return outcome
}

async function end(kernel: RegisteredKernel, options: StopOptions): Promise<StopOutcome> {
  if (!options.force && (await ask(kernel, options.timeoutMs ?? 15_000))) return 'stopped'
  if (await signal(kernel, 'SIGTERM', TERM_MS)) return 'terminated'
  if (await signal(kernel, 'SIGKILL', KILL_MS)) return 'killed'
  const { id, pid } = kernel.record
  throw new LlmspellError(`the kernel "${id}" (process ${pid}) was killed and is still there`, {
    code: 'kernel.not_stopped',
    data: { id, pid },
    hint: 'The operating system holds it, most often in a disk or network access that does not end.',
  })
}

async function ask(kernel: RegisteredKernel, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs
  try {
    const client = await connectTo(kernel.connection, { connectTimeoutMs: timeoutMs })
    try {
      await client.shutdown({ stop: true, timeoutMs: Math.max(1, deadline - performance.now()) })
    } finally {
      await client.close()
    }
  } catch {
    // A kernel that cannot be asked, or ends before its answer came, is waited for and then signalled all the same.
    if (isRunning(kernel.record)) return gone(kernel, Math.min(1_000, deadline - performance.now()))
  }
  return gone(kernel, deadline - performance.now())
}

function signal(kernel: RegisteredKernel, name: NodeJS.Signals, timeoutMs: number): Promise<boolean> {
  if (!isRunning(kernel.record)) return Promise.resolve(true)
  try {
    process.kill(kernel.record.pid, name)
  } catch (error) {
    // It ended between the look and the signal.
    if (codeOf(error) !== 'ESRCH') throw error
  }
  return gone(kernel, timeoutMs)
}

async function gone(kernel: RegisteredKernel, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs
  while (isRunning(kernel.record)) {
    if (performance.now() > deadline) return false
    await delay(20)
  }
  return true
}
