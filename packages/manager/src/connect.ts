import { KernelClient } from '@llmspell/client'
import { isRunning } from '@llmspell/config/process-identity'
import type { ConnectionInfo } from '@llmspell/jupyter'
import { connectKernel } from '@llmspell/jupyter-zmq/client'

export interface ConnectOptions {
  session?: string
  /** Milliseconds until the kernel's output must be subscribed to. Default 20 000. */
  connectTimeoutMs?: number
  onUnresponsive?(unresponsive: boolean): void
}

/** A client of the kernel that these connection data describe. Codes `kernel.connect_failed`, `kernel.died`, `kernel.unresponsive`. */
export async function connectTo(connection: ConnectionInfo, options: ConnectOptions = {}): Promise<KernelClient> {
  const connectTimeoutMs = options.connectTimeoutMs ?? 20_000
  const record = isLocal(connection) ? connection.llmspell : undefined
  try {
    return await KernelClient.connect({
      transport: connectKernel(connection, { connectTimeoutMs }),
      ...options,
      connectTimeoutMs,
      ...(record && {
        isProcessAlive: () => isRunning(record),
        deathHint: async () => (await import('./death.ts')).lastWords(record),
      }),
    })
  } catch (error) {
    if (!record) throw error
    const { connectionFailure } = await import('./death.ts')
    throw await connectionFailure(record, error)
  }
}

/** A pid says something only on the machine it belongs to. */
function isLocal(connection: ConnectionInfo): boolean {
  return connection.transport === 'ipc' || LOOPBACK.test(connection.ip)
}

export const LOOPBACK: RegExp = /^(127\.|localhost$|::1$)/
