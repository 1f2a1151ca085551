import { connect } from 'node:net'
import { LlmspellError, messageOf } from '@llmspell/base'
import type { ByteStream } from '@llmspell/dap'
import { nodeStream } from '@llmspell/dap/node'
import type { Context } from '../context.ts'
import { openNamed } from '../session/named-kernel.ts'
import { openKernel } from '../session/open-kernel.ts'

/** The debugger of a kernel: a stream of the Debug Adapter Protocol, and the token that its launch and attach ask for. */
export interface KernelDebugger {
  stream: ByteStream
  token: string
  /** `default`, for messages. */
  kernel: string
}

const CONNECT_MS = 15_000

/** Of the kernel named (an id, a connection file), or of the user's own, started if none runs. */
export async function openKernelDebugger(context: Context, kernel: string | undefined): Promise<KernelDebugger> {
  const open = kernel === undefined ? await openKernel(context) : await openNamed(context, kernel, () => {})
  const { client, connection } = open
  try {
    const server = await client.startDebugServer()
    const stream = await reach(server.transport === 'unix' ? { path: server.path } : { host: server.ip, port: server.port })
    return { stream, token: server.token, kernel: connection.llmspell?.id ?? kernel ?? 'default' }
  } finally {
    await client.close()
  }
}

function reach(address: { path: string } | { host: string; port: number }): Promise<ByteStream> {
  return new Promise((resolve, reject) => {
    const socket = connect(address)
    const fail = (reason: string, cause?: unknown): void => {
      socket.destroy()
      reject(new LlmspellError(`cannot reach the kernel's debugger: ${reason}`, { code: 'kernel.connect_failed', cause }))
    }
    socket.setTimeout(CONNECT_MS, () => fail(`no connection within ${CONNECT_MS} ms`))
    socket.once('error', (error) => fail(messageOf(error), error))
    socket.once('connect', () => {
      socket.setTimeout(0)
      socket.setNoDelay()
      socket.removeAllListeners('error')
      resolve(nodeStream(socket, socket))
    })
  })
}
