import { codeOf } from '@llmspell/base'
import type { KernelStatusReply } from '@llmspell/jupyter'
import { connectTo } from './connect.ts'
import { isKernelRunning, type RegisteredKernel } from './registry.ts'

export type KernelState = KernelStatusReply['execution_state'] | 'dead' | 'unresponsive'

export interface ProbedKernel extends RegisteredKernel {
  readonly state: KernelState
  /** What the kernel says of itself; absent when it does not answer. */
  readonly status?: KernelStatusReply
}

/** Looks at the process, then asks the kernel itself: a process that runs may still be one that does not answer. */
export async function probe(kernel: RegisteredKernel, timeoutMs = 3_000): Promise<ProbedKernel> {
  if (!isKernelRunning(kernel)) return { ...kernel, state: 'dead' }
  try {
    const client = await connectTo(kernel.connection, { connectTimeoutMs: timeoutMs })
    try {
      const status = await client.status({ timeoutMs })
      return { ...kernel, state: status.execution_state, status }
    } finally {
      await client.close()
    }
  } catch (error) {
    return { ...kernel, state: codeOf(error) === 'kernel.died' || !isKernelRunning(kernel) ? 'dead' : 'unresponsive' }
  }
}
