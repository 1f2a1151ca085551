import { createServer, type Server, type Socket } from 'node:net'
import { messageStream } from '../src/byte-stream.ts'
import { Endpoint, type Handlers } from '../src/endpoint.ts'
import { nodeStream } from '../src/node.ts'

/** A debug adapter for a program of ten lines that prints the number of each and has one variable. */
export function toyHandlers(endpoint: () => Endpoint): Handlers {
  const lines = 10
  let breakpoints: number[] = []
  let line = 0
  let x = '1'
  const goOn = (until: (line: number) => boolean): void => {
    const print = (): void => endpoint().event('output', { category: 'stdout', output: `${line}\n` })
    if (line > 0) print()
    while (++line <= lines) {
      if (until(line) || breakpoints.includes(line)) {
        const reason = breakpoints.includes(line) ? 'breakpoint' : 'step'
        endpoint().event('stopped', { reason, threadId: 1, allThreadsStopped: true })
        return
      }
      print()
    }
    endpoint().event('exited', { exitCode: 0 })
    endpoint().event('terminated')
  }
  const started = Promise.withResolvers<void>()
  return {
    initialize: (_, { afterResponse }) => {
      afterResponse(() => endpoint().event('initialized'))
      return { supportsConfigurationDoneRequest: true, supportsCancelRequest: true }
    },
    setBreakpoints: ({ breakpoints: wanted = [] }) => {
      breakpoints = wanted.map((breakpoint) => breakpoint.line)
      return { breakpoints: breakpoints.map((at) => ({ verified: at <= lines, line: at })) }
    },
    setExceptionBreakpoints: () => undefined,
    configurationDone: () => started.resolve(),
    launch: async ({ program }, { afterResponse }) => {
      if (typeof program !== 'string') throw new Error('launch needs a program')
      await started.promise
      afterResponse(() => goOn(() => false))
    },
    threads: () => ({ threads: [{ id: 1, name: 'main' }] }),
    stackTrace: () => ({
      stackFrames: [{ id: 1, name: 'toy', line, column: 1, source: { name: 'toy.txt', path: '/toy.txt' } }],
      totalFrames: 1,
    }),
    scopes: () => ({ scopes: [{ name: 'Locals', variablesReference: 7, expensive: false }] }),
    variables: () => ({ variables: [{ name: 'x', value: x, variablesReference: 0 }] }),
    setVariable: ({ value }) => {
      x = value
      return { value }
    },
    evaluate: ({ expression }, { signal }) => {
      if (expression === 'never')
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
      return { result: `${expression} is ${x}`, variablesReference: 0 }
    },
    continue: (_, { afterResponse }) => {
      afterResponse(() => goOn(() => false))
      return { allThreadsContinued: true }
    },
    next: (_, { afterResponse }) => afterResponse(() => goOn(() => true)),
    disconnect: () => undefined,
  }
}

export interface ToyServer {
  port: number
  /** What broke a connection. */
  errors: Error[]
  close(): Promise<void>
}

/** The toy over TCP, on loopback. */
export async function serveToy(): Promise<ToyServer> {
  const sockets = new Set<Socket>()
  const errors: Error[] = []
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    const stream = messageStream(nodeStream(socket, socket))
    const endpoint: Endpoint = new Endpoint({ send: (message) => void stream.send(message), handlers: toyHandlers(() => endpoint) })
    stream
      .read((message) => endpoint.receive(message))
      .catch((error: Error) => errors.push(error))
      .finally(() => {
        endpoint.close()
        stream.close()
        sockets.delete(socket)
      })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  return {
    port,
    errors,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
