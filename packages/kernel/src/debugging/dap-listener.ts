import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { chmodSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { type Clock, codeOf, LlmspellError, type Logger, messageOf } from '@llmspell/base'
import type { DebugServerEndpoint, StartDebugServerReply, StartDebugServerRequest } from '@llmspell/jupyter'

export interface DapListenerOptions {
  /** Makes a directory of the user alone and answers the path for the unix socket in it; `undefined` where there is none. */
  socketPath: (() => string) | undefined
  /** A debugger has connected. What this returns is called when the listener closes. */
  accept(socket: Socket, isToken: (candidate: unknown) => boolean): { end(): void }
  clock: Clock
  logger: Logger
}

/** Debuggers that may be connected at once. */
const MOST_CLIENTS = 32
/** Milliseconds without any client after which the listener closes. */
const IDLE = 10 * 60_000

/**
 * Where debuggers connect: a unix socket, a port of 127.0.0.1, or both, one token for all. Closed until asked for, and again once nobody
 * has been connected for a while.
 */
export class DapListener {
  readonly #options: DapListenerOptions
  readonly #servers = new Map<'unix' | 'tcp', Promise<{ server: Server; endpoint: DebugServerEndpoint }>>()
  readonly #clients = new Set<{ end(): void }>()
  #token = ''
  #digest: Buffer = Buffer.alloc(0)
  #idle: { cancel(): void } | undefined

  constructor(options: DapListenerOptions) {
    this.#options = options
  }

  /** True while one can connect. */
  get open(): boolean {
    return this.#servers.size > 0
  }

  async start({ transport, port }: StartDebugServerRequest): Promise<StartDebugServerReply> {
    const { socketPath } = this.#options
    const chosen = transport ?? (socketPath !== undefined && port === undefined ? 'unix' : 'tcp')
    if (chosen === 'unix' && socketPath === undefined)
      throw new LlmspellError('this kernel has no directory for sockets', {
        code: 'kernel.not_supported',
        hint: "Ask with transport 'tcp'.",
      })
    if (this.#servers.size === 0) this.#renewToken()
    let standing = this.#servers.get(chosen)
    if (!standing) {
      standing = chosen === 'unix' ? this.#listenUnix((socketPath as () => string)()) : this.#listenTcp(port ?? 0)
      this.#servers.set(chosen, standing)
      standing.catch(() => this.#servers.delete(chosen))
    }
    const { endpoint } = await standing
    if (endpoint.transport === 'tcp' && port !== undefined && port !== 0 && port !== endpoint.port)
      throw new LlmspellError(`debuggers connect to port ${endpoint.port} of this kernel already`, {
        code: 'debug.listening',
        data: { port: endpoint.port },
        hint: 'Use that port, or send stop_debug_server_request first.',
      })
    this.#watchIdle()
    return { status: 'ok', ...endpoint, token: this.#token }
  }

  /** Clients are disconnected. False: none could connect. */
  async stop(): Promise<boolean> {
    const servers = [...this.#servers.values()]
    this.#servers.clear()
    this.#idle?.cancel()
    const closed = servers.map(async (standing) => {
      const { server, endpoint } = await standing
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        for (const client of this.#clients) client.end()
      })
      // Node removes the socket of a server that it closes; on a crash nobody does.
      if (endpoint.transport === 'unix') rmSync(endpoint.path, { force: true })
    })
    await Promise.allSettled(closed)
    return servers.length > 0
  }

  async #listenTcp(port: number): Promise<{ server: Server; endpoint: DebugServerEndpoint }> {
    const server = await this.#listen({ host: '127.0.0.1', port })
    const address = server.address() as { port: number }
    return { server, endpoint: { transport: 'tcp', ip: '127.0.0.1', port: address.port } }
  }

  async #listenUnix(path: string): Promise<{ server: Server; endpoint: DebugServerEndpoint }> {
    if (!(await answers(path))) rmSync(path, { force: true })
    const server = await this.#listen({ path })
    chmodSync(path, 0o600)
    return { server, endpoint: { transport: 'unix', path } }
  }

  async #listen(where: { host: string; port: number } | { path: string }): Promise<Server> {
    const server = createServer((socket) => this.#connected(socket))
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(where, resolve)
      })
    } catch (cause) {
      const place = 'path' in where ? where.path : `port ${where.port}`
      const taken = codeOf(cause) === 'EADDRINUSE'
      throw new LlmspellError(`cannot listen for debuggers on ${place}: ${taken ? 'it is taken' : messageOf(cause)}`, {
        code: 'debug.cannot_listen',
        data: { reason: codeOf(cause) },
        cause,
        ...('port' in where && { hint: 'Ask for another port, or for none: a free one is then chosen.' }),
      })
    }
    server.on('error', (error) => this.#options.logger.log('warn', `a debugger could not connect: ${messageOf(error)}`))
    return server
  }

  #connected(socket: Socket): void {
    if (this.#clients.size >= MOST_CLIENTS) {
      this.#options.logger.log('warn', 'a debugger was turned away: too many are connected', { clients: MOST_CLIENTS })
      socket.destroy()
      return
    }
    socket.setNoDelay(true)
    this.#idle?.cancel()
    const client = this.#options.accept(socket, (candidate) => this.#isToken(candidate))
    this.#clients.add(client)
    socket.once('close', () => {
      this.#clients.delete(client)
      this.#watchIdle()
    })
  }

  #watchIdle(): void {
    this.#idle?.cancel()
    if (this.#clients.size > 0 || !this.open) return
    this.#idle = this.#options.clock.setTimeout(() => {
      this.#options.logger.log('info', 'no debugger was connected for a while, the listener closes')
      void this.stop()
    }, IDLE)
  }

  #renewToken(): void {
    this.#token = randomBytes(32).toString('base64url')
    this.#digest = digestOf(this.#token)
  }

  /** In constant time, whatever the candidate. */
  #isToken(candidate: unknown): boolean {
    return typeof candidate === 'string' && timingSafeEqual(digestOf(candidate), this.#digest)
  }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

/** Whether somebody listens there: a socket file stays behind when a process is killed. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ path })
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', () => resolve(false))
  })
}
