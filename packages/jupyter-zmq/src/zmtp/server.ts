import { createServer } from 'node:net'
import type { ServerSockets } from '../sockets.ts'
import type { ZmtpServerOptions } from './base-socket.ts'
import { EchoSocket } from './echo-socket.ts'
import { listen } from './listen.ts'
import { PublisherSocket } from './publisher-socket.ts'
import { RouterSocket } from './router-socket.ts'

/** What the stream itself holds for a peer before our queue does: several writes, so that one is always ready to follow. */
const STREAM_HIGH_WATER_MARK = 256 * 1024

export function zmtpServerSockets(options: ZmtpServerOptions): ServerSockets {
  return {
    async bind(kind, endpoint) {
      const server = createServer({ noDelay: true, highWaterMark: STREAM_HIGH_WATER_MARK })
      const bound = await listen(server, endpoint)
      switch (kind) {
        case 'router':
          return new RouterSocket(server, bound, options)
        case 'xpub':
          return new PublisherSocket(server, bound, options)
        case 'echo':
          return new EchoSocket(server, bound, options)
      }
    },
  }
}
