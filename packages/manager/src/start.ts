import { delay, LlmspellError } from '@llmspell/base'
import { type HeldLock, isHeld, type LockOwner, tryLock } from '@llmspell/config/lock-file'
import { ensurePrivateDirectory, type LlmspellPaths } from '@llmspell/config/paths'
import type { AcquireOptions } from './acquire.ts'
import { isKernelRunning, type RegisteredKernel, readKernel, removeRemains } from './registry.ts'
import { spawnKernel } from './spawn.ts'
import { startLockPath } from './sweep.ts'

export { type RunningKernel, runKernel, type SpawnedKernel, type SpawnOptions, spawnKernel } from './spawn.ts'

/** Milliseconds one may wait for another process's start. */
const OTHERS_START_MS = 90_000

/** The kernel of this id: started by us, or by another process that did so at the same time. */
export async function startOnce(options: AcquireOptions, id: string): Promise<{ kernel: RegisteredKernel; started: boolean }> {
  const { paths, onNotice } = options
  const lock = await lockStart(paths, id, () => onNotice?.({ type: 'starting', id }))
  if (!isHeld(lock)) return { kernel: lock, started: false }
  try {
    const left = readKernel(paths, id)
    if (left && isKernelRunning(left)) return { kernel: left, started: false }
    if (left) {
      onNotice?.({ type: 'replacing_dead', record: left.record })
      removeRemains(left)
    }
    onNotice?.({ type: 'starting', id })
    const pid = await spawnOrFind(options, id)
    const kernel = readKernel(paths, id)
    if (!kernel) {
      throw new LlmspellError(`the kernel "${id}" says it is ready but did not register`, {
        code: 'kernel.start_failed',
        data: { id, pid, file: paths.connectionFile(id) },
      })
    }
    if (pid !== undefined) onNotice?.({ type: 'started', id, pid })
    return { kernel, started: pid !== undefined }
  } finally {
    lock.release()
  }
}

/**
 * The pid of a new kernel; `undefined` when one of this id showed up that was not registered before. That is one whose starter
 * died while it started, or one that was ending: the first registers soon, the second leaves its place soon.
 */
async function spawnOrFind(options: AcquireOptions, id: string): Promise<number | undefined> {
  const end = performance.now() + OTHERS_START_MS
  for (;;) {
    try {
      return (await spawnKernel({ ...options, id, startedBy: 'auto' })).pid
    } catch (error) {
      const taken = LlmspellError.is(error) && error.data['reason'] === 'kernel.already_running'
      if (!taken || performance.now() > end) throw error
    }
    await delay(100)
    const kernel = readKernel(options.paths, id)
    if (kernel && isKernelRunning(kernel)) return undefined
  }
}

/**
 * Runs `start` as the only one to start a kernel of this id, after what a dead one left was removed. Code
 * `kernel.already_running` when one runs.
 */
export async function startAlone<T>(paths: LlmspellPaths, id: string, start: () => Promise<T>): Promise<T> {
  const lock = await lockStart(paths, id)
  if (!isHeld(lock)) throw alreadyRunning(lock)
  try {
    const found = readKernel(paths, id)
    if (found && isKernelRunning(found)) throw alreadyRunning(found)
    if (found) removeRemains(found)
    return await start()
  } finally {
    lock.release()
  }
}

/** The start lock of this id, or the kernel that its holder started meanwhile. */
async function lockStart(paths: LlmspellPaths, id: string, onWait?: () => void): Promise<HeldLock | RegisteredKernel> {
  ensurePrivateDirectory(paths.runtimeDir)
  ensurePrivateDirectory(paths.kernelsDir)
  const end = performance.now() + OTHERS_START_MS
  let owner: LockOwner | undefined
  while (performance.now() < end) {
    const lock = tryLock(startLockPath(paths, id))
    if (isHeld(lock)) return lock
    if (!owner) onWait?.()
    owner = lock
    // Spread, so that many who wait do not look all at once.
    await delay(20 + Math.random() * 40)
    const kernel = readKernel(paths, id)
    if (kernel && isKernelRunning(kernel)) return kernel
  }
  throw new LlmspellError(`waited ${OTHERS_START_MS / 1000} s for the process ${owner?.pid}, which is starting the kernel "${id}"`, {
    code: 'kernel.start_timeout',
    data: { id, pid: owner?.pid },
    hint: `See whether process ${owner?.pid} hangs; \`llmspell kernel logs --id ${id}\` shows what the kernel said.`,
  })
}

function alreadyRunning({ record: { id, pid } }: RegisteredKernel): LlmspellError {
  return new LlmspellError(`the kernel "${id}" already runs, process ${pid}`, {
    code: 'kernel.already_running',
    data: { id, pid },
    hint: `Stop it with \`llmspell kernel stop ${id}\`, or start another with --id NAME.`,
  })
}
