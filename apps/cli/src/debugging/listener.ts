import { existsSync, lstatSync, unlinkSync } from 'node:fs'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { dirname, resolve } from 'node:path'
import { LlmspellError } from '@llmspell/base'

export type ListenAddress = { transport: 'tcp'; port: number } | { transport: 'unix'; path: string }

const LOOPBACK = '127.0.0.1'
/** What the address of a unix socket may hold on Linux. */
const MAX_PATH_BYTES = 107

/** `4711`, `127.0.0.1:4711`, or the path of a socket. Code `usage.bad_option` for a port that others could reach. */
export function parseListenAddress(text: string, cwd: string): ListenAddress {
  const tcp = /^(?:(.+):)?(\d{1,5})$/.exec(text)
  if (!tcp) {
    const path = resolve(cwd, text)
    if (Buffer.byteLength(path) <= MAX_PATH_BYTES) return { transport: 'unix', path }
    throw badAddress(
      `the path of a socket has at most ${MAX_PATH_BYTES} bytes, and ${path} is longer`,
      'Use a shorter one, such as in /tmp or $XDG_RUNTIME_DIR.',
    )
  }
  const [, host, digits] = tcp
  const port = Number(digits)
  if (host !== undefined && host !== LOOPBACK && host !== 'localhost')
    throw badAddress(`it listens on ${LOOPBACK} only, not on ${host}`, 'From another machine, use an SSH tunnel.')
  if (port > 65_535) throw badAddress(`${digits} is no port`, 'Ports go to 65535; 0 lets the system choose.')
  return { transport: 'tcp', port }
}

/** Takes clients until `close`; a socket is its owner's alone, and one that was left behind is replaced. */
export async function listen(
  address: ListenAddress,
  onClient: (socket: Socket) => void,
): Promise<{ server: Server; address: ListenAddress }> {
  const server = createServer({ noDelay: true }, onClient)
  if (address.transport === 'tcp') {
    await bound(server, () => server.listen({ host: LOOPBACK, port: address.port }), `${LOOPBACK}:${address.port}`)
    return { server, address: { transport: 'tcp', port: (server.address() as { port: number }).port } }
  }
  await removeAbandoned(address.path)
  // Nobody else may connect, not even between the making of the file and a chmod.
  const umask = process.umask(0o177)
  try {
    await bound(server, () => server.listen({ path: address.path }), address.path)
  } finally {
    process.umask(umask)
  }
  return { server, address }
}

function bound(server: Server, start: () => void, where: string): Promise<void> {
  return new Promise((done, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const reason = REASONS[cause.code ?? ''] ?? cause.message
      reject(
        new LlmspellError(`cannot listen on ${where}: ${reason}`, {
          code: 'dap.listen_failed',
          data: { where, reason: cause.code },
          cause,
        }),
      )
    })
    server.once('listening', done)
    start()
  })
}

const REASONS: Record<string, string> = {
  EADDRINUSE: 'something else listens there',
  EACCES: 'you may not',
}

async function removeAbandoned(path: string): Promise<void> {
  // Node says EACCES for this.
  if (!existsSync(dirname(path)))
    throw new LlmspellError(`cannot listen on ${path}: there is no such directory`, { code: 'dap.listen_failed', data: { path } })
  const entry = lstatSync(path, { throwIfNoEntry: false })
  if (!entry) return
  if (!entry.isSocket())
    throw new LlmspellError(`cannot listen on ${path}: it exists and is no socket`, { code: 'dap.listen_failed', data: { path } })
  if (!(await answers(path))) unlinkSync(path)
}

function answers(path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = createConnection(path)
    const end = (answered: boolean): void => {
      socket.destroy()
      done(answered)
    }
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
  })
}

function badAddress(message: string, hint: string): LlmspellError {
  return new LlmspellError(`--listen: ${message}`, { code: 'usage.bad_option', hint })
}
