import type { Server } from 'node:net'
import { BaseSocket, type ZmtpServerOptions } from './base-socket.ts'
import type { ZmtpConnection } from './connection.ts'
import { encodeMessage } from './framing.ts'

/** REQ peers put an empty frame first and want it back; so an echo is a heartbeat's whole answer. */
export class EchoSocket extends BaseSocket {
  constructor(server: Server, endpoint: string, options: ZmtpServerOptions) {
    super(server, endpoint, 'echo', options)
  }

  get backlog(): number {
    return 0
  }

  send(): boolean {
    return false
  }

  flushed(): Promise<void> {
    return Promise.resolve()
  }

  protected onMessage(connection: ZmtpConnection, frames: Buffer[]): void {
    // A peer that asks and never reads gets no more answers.
    if (connection.backlog < MAX_ECHO_BACKLOG) connection.send({ ...encodeMessage(frames), droppable: false })
  }
}

const MAX_ECHO_BACKLOG = 64 * 1024
