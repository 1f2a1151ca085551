import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { messageOf, traceEnabled } from '@llmspell/base'
import { messageStream, traceLine } from '@llmspell/dap'
import { nodeStream } from '@llmspell/dap/node'
import { type Context, option } from '../context.ts'
import { openKernelDebugger } from '../debugging/kernel-debugger.ts'
import { type ListenAddress, listen, parseListenAddress } from '../debugging/listener.ts'
import { DapProxy } from '../debugging/proxy.ts'
import { EXIT } from '../exit-codes.ts'
import { traceTopics } from '../session/trace.ts'

export async function run(context: Context): Promise<number> {
  const target = option(context, 'listen')
  if (target !== undefined) return serve(context, parseListenAddress(target, context.cwd))
  const { stdin, stdout } = context.terminal
  if (stdin.isTTY) context.terminal.note('llmspell dap is for editors, which start it; `llmspell debug FILE` is for people.\n')
  await proxy(context, messageStream(nodeStream(stdin, stdout)))
  return EXIT.ok
}

/** Until SIGINT or SIGTERM. */
async function serve(context: Context, wanted: ListenAddress): Promise<number> {
  const { terminal, env } = context
  // An empty one would let everybody in.
  const given = env['LLMSPELL_DAP_TOKEN'] || undefined
  const token = wanted.transport === 'unix' ? undefined : (given ?? randomBytes(32).toString('base64url'))
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
  const clients = new Set<Socket>()
  const { server, address } = await listen(wanted, (socket) => {
    clients.add(socket)
    socket.once('close', () => clients.delete(socket))
    proxy(context, messageStream(nodeStream(socket, socket)), token).catch((error: unknown) => {
      terminal.note(`llmspell: a debugger was disconnected: ${messageOf(error)}\n`)
    })
  })
  const where = address.transport === 'tcp' ? { host: '127.0.0.1', port: address.port } : { path: address.path }
  terminal.out(
    `${JSON.stringify({ transport: address.transport, ...where, ...(token !== undefined && given === undefined && { token }) })}\n`,
  )
  await stopped
  server.close()
  for (const client of clients) client.destroy()
  return EXIT.ok
}

function proxy(context: Context, editor: ReturnType<typeof messageStream>, token?: string): Promise<void> {
  const { terminal } = context
  const traced = traceEnabled('dap', traceTopics(context))
  return new DapProxy({
    editor,
    open: (kernel) => openKernelDebugger(context, kernel),
    ...(token !== undefined && { token }),
    diagnose: (text) => terminal.note(`llmspell: ${text}\n`),
    trace: (direction, message) => {
      if (traced) terminal.note(`${new Date().toISOString()} ${traceLine(direction, message)}\n`)
    },
  }).run()
}
