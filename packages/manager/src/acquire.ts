import type { KernelClient } from '@llmspell/client'
import type { KernelRecord } from '@llmspell/jupyter'
import { type ConnectOptions, connectTo } from './connect.ts'
import { isKernelRunning, type RegisteredKernel, readKernel } from './registry.ts'
import type { SpawnOptions } from './spawn.ts'
import { isCompatible } from './version.ts'

export const DEFAULT_KERNEL_ID = 'default'

export type AcquireNotice =
  /** The kernel that was there ended without taking leave; a new one is started. */
  | { type: 'replacing_dead'; record: KernelRecord }
  /** A kernel of an incompatible version runs and is left alone; one of this version runs or starts beside it. */
  | { type: 'other_version'; record: KernelRecord; id: string }
  | { type: 'starting'; id: string }
  | { type: 'started'; id: string; pid: number }

export interface AcquireOptions extends Omit<SpawnOptions, 'id' | 'startedBy'>, ConnectOptions {
  /** Of this program. */
  version: string
  onNotice?(notice: AcquireNotice): void
}

/** A kernel found running may end before it is reached: its idle time was over, somebody stopped it. */
const ATTEMPTS = 5

/**
 * A client of this user's kernel: the one that runs, or else a new one. However many ask at once, one kernel is started: the
 * start lock is held from the check to readiness, and all others wait for it and connect.
 */
export async function acquireKernel(
  options: AcquireOptions,
): Promise<{ client: KernelClient; kernel: RegisteredKernel; started: boolean }> {
  for (let attempt = 1; ; attempt++) {
    const { kernel, started } = await findOrStart(options)
    try {
      return { client: await connectTo(kernel.connection, options), kernel, started }
    } catch (error) {
      if (isKernelRunning(kernel) || attempt === ATTEMPTS) throw error
    }
  }
}

async function findOrStart(options: AcquireOptions): Promise<{ kernel: RegisteredKernel; started: boolean }> {
  const { paths, version } = options
  let id = DEFAULT_KERNEL_ID
  let known = readKernel(paths, id)
  let running = known !== undefined && isKernelRunning(known)
  if (known && running && !isCompatible(known.record.version, version)) {
    id = `${DEFAULT_KERNEL_ID}-${version}`
    options.onNotice?.({ type: 'other_version', record: known.record, id })
    known = readKernel(paths, id)
    running = known !== undefined && isKernelRunning(known)
  }
  if (known && running) return { kernel: known, started: false }
  // Loaded only now: most commands find a kernel, and are to be as fast as can be.
  const { startOnce } = await import('./start.ts')
  return startOnce(options, id)
}
