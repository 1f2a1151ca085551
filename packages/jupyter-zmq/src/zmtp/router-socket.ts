import type { Server } from 'node:net'
import { type Disposable, Emitter } from '@llmspell/base'
import type { Frames } from '../sockets.ts'
import { BaseSocket, type ZmtpServerOptions } from './base-socket.ts'
import type { ZmtpConnection } from './connection.ts'
import { encodeMessage } from './framing.ts'

/** Messages go to the peer their first frame names, and come with the name of the peer they are from. */
export class RouterSocket extends BaseSocket {
  readonly #byIdentity = new Map<string, ZmtpConnection>()
  readonly #identities = new Map<ZmtpConnection, Buffer>()
  readonly #gone = new Emitter<Uint8Array>()
  #generated = 0

  constructor(server: Server, endpoint: string, options: ZmtpServerOptions) {
    super(server, endpoint, 'router', options)
  }

  get backlog(): number {
    let bytes = 0
    for (const connection of this.connections) bytes += connection.backlog
    return bytes
  }

  /** The first frame names the peer; what is for a peer that left is dropped, as ROUTER does. */
  send(frames: Frames): boolean {
    const connection = this.#byIdentity.get(keyOf(frames[0] as Uint8Array))
    if (!connection) return false
    if (connection.backlog > this.options.maxSubscriberBytes) {
      this.options.logger.log('warn', 'a client that does not read its replies was disconnected', { bytes: connection.backlog })
      connection.destroy()
      return false
    }
    connection.send({ ...encodeMessage(frames.slice(1)), droppable: false })
    return true
  }

  onGone(listener: (identity: Uint8Array) => void): Disposable {
    return this.#gone.on(listener)
  }

  async flushed(): Promise<void> {
    await Promise.all([...this.connections].map((connection) => connection.taken()))
  }

  protected override onReady(connection: ZmtpConnection, named: Buffer): void {
    let identity = named
    if (identity.length === 0) {
      // Made-up identities begin with 0, which a peer's own may not.
      identity = Buffer.alloc(5)
      identity.writeUInt32BE(++this.#generated, 1)
    }
    const key = keyOf(identity)
    // A client that reconnects under its name replaces its old connection.
    this.#byIdentity.get(key)?.destroy()
    this.#byIdentity.set(key, connection)
    this.#identities.set(connection, identity)
  }

  protected onMessage(connection: ZmtpConnection, frames: Buffer[]): void {
    this.receive?.([this.#identities.get(connection) as Buffer, ...frames], () => undefined)
  }

  protected override onClosed(connection: ZmtpConnection): void {
    const identity = this.#identities.get(connection)
    this.#identities.delete(connection)
    if (!identity || this.#byIdentity.get(keyOf(identity)) !== connection) return
    this.#byIdentity.delete(keyOf(identity))
    this.#gone.emit(identity)
  }
}

function keyOf(identity: Uint8Array): string {
  return Buffer.from(identity.buffer, identity.byteOffset, identity.length).toString('latin1')
}
