import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConnectionInfo } from '@llmspell/jupyter'
import { describeTransport } from '@llmspell/jupyter/testing'
import { bindKernelSockets, type Carrier, connectKernel } from '../src/index.ts'

const CARRIERS: Carrier[] = ['zmtp', 'libzmq']

for (const transport of ['tcp', 'ipc'] as const)
  for (const kernelSide of CARRIERS)
    for (const clientSide of CARRIERS)
      describeTransport(`${transport}: ${kernelSide} kernel, ${clientSide} client`, {
        create: async () => {
          const directory = mkdtempSync(join(tmpdir(), 'zmq-'))
          const kernel = await bindKernelSockets({ connection: connectionIn(directory, transport), carrier: kernelSide })
          return {
            kernel,
            connect: () => connectKernel(kernel.connection, { carrier: clientSide, connectTimeoutMs: 30_000 }),
            dispose: () => rmSync(directory, { recursive: true }),
          }
        },
      })

function connectionIn(directory: string, transport: 'tcp' | 'ipc'): ConnectionInfo {
  const ports = transport === 'tcp' ? [0, 0, 0, 0, 0] : [1, 2, 3, 4, 5]
  const [shell_port, iopub_port, stdin_port, control_port, hb_port] = ports as [number, number, number, number, number]
  const ip = transport === 'tcp' ? '127.0.0.1' : join(directory, 'kernel')
  return { transport, ip, shell_port, iopub_port, stdin_port, control_port, hb_port, key: 'a key', signature_scheme: 'hmac-sha256' }
}
