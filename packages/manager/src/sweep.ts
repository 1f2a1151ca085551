import { join } from 'node:path'
import { isHeld, tryLock } from '@llmspell/config/lock-file'
import type { LlmspellPaths } from '@llmspell/config/paths'
import { isKernelRunning, type RegisteredKernel, readKernel, readKernels, removeRemains } from './registry.ts'

/** The lock that a start, and the removal of what a dead kernel left behind, must hold. */
export function startLockPath(paths: LlmspellPaths, id: string): string {
  return join(paths.runtimeDir, `start-${id}.lock`)
}

/** Removes the remains of every dead kernel that nobody is replacing just now; returns those kernels. */
export function sweep(paths: LlmspellPaths): RegisteredKernel[] {
  return readKernels(paths).filter((kernel) => !isKernelRunning(kernel) && removeIfDead(paths, kernel.record.id))
}

function removeIfDead(paths: LlmspellPaths, id: string): boolean {
  const lock = tryLock(startLockPath(paths, id))
  if (!isHeld(lock)) return false
  try {
    const kernel = readKernel(paths, id)
    if (!kernel || isKernelRunning(kernel)) return false
    removeRemains(kernel)
    return true
  } finally {
    lock.release()
  }
}
