import { connect, type Socket } from 'node:net'
import { type ConnectionInfo, endpointOf, type SocketName } from '@llmspell/jupyter'
import { parseEndpoint } from '../../src/zmtp/address.ts'
import { encodeGreeting, encodeMessage, encodeReady, GREETING_BYTES, ZmtpParser } from '../../src/zmtp/framing.ts'
import { cleanup, until } from './kernel.ts'

/** A peer that may misbehave: it says the bytes it is told, reads only when told, and keeps what it read. */
export class RawPeer {
  readonly socket: Socket
  readonly messages: Buffer[][] = []
  closed = false
  #received = Buffer.alloc(0)
  #parser: ZmtpParser | undefined

  constructor(connection: ConnectionInfo, socket: SocketName) {
    this.socket = connect(parseEndpoint(endpointOf(connection, socket)))
    this.socket.on('error', () => undefined)
    this.socket.on('close', () => {
      this.closed = true
    })
    this.socket.on('data', (chunk) => this.#onData(chunk))
    cleanup(() => this.socket.destroy())
  }

  get connected(): boolean {
    return this.#parser !== undefined
  }

  write(bytes: Uint8Array | string): void {
    this.socket.write(bytes)
  }

  async handshake(type: string, identity = ''): Promise<void> {
    this.write(Buffer.concat([encodeGreeting(), encodeReady(type, Buffer.from(identity))]))
    await until('the handshake', () => this.connected || this.closed)
  }

  send(frames: readonly (Uint8Array | string)[]): void {
    for (const piece of encodeMessage(frames.map((frame) => Buffer.from(frame as string))).pieces) this.write(piece)
  }

  #onData(chunk: Buffer): void {
    if (this.#parser) {
      this.#parser.push(chunk)
      return
    }
    this.#received = Buffer.concat([this.#received, chunk])
    if (this.#received.length < GREETING_BYTES) return
    const parser = new ZmtpParser(Number.MAX_SAFE_INTEGER, {
      onMessage: (frames) => this.messages.push(frames),
      onCommand: (name) => {
        if (name === 'READY') this.#parser = parser
      },
      onTooLarge: () => undefined,
    })
    parser.push(this.#received.subarray(GREETING_BYTES))
    this.#received = this.#received.subarray(0, GREETING_BYTES)
  }
}
