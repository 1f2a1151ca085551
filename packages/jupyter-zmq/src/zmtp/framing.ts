import { LlmspellError } from '@llmspell/base'

/**
 * ZMTP 3.1 on the wire, NULL mechanism, without any I/O. https://rfc.zeromq.org/spec/37/
 * A frame is a flag octet, a length of one or eight octets, and a body.
 */

const MORE = 0x01
const LONG = 0x02
const COMMAND = 0x04

export const GREETING_BYTES = 64
const MECHANISM_AT = 12
const MECHANISM = 'NULL'

/** Signature, version 3.1, mechanism, as-server 0, filler. */
export function encodeGreeting(): Buffer {
  const greeting = Buffer.alloc(GREETING_BYTES)
  greeting[0] = 0xff
  greeting[9] = 0x7f
  greeting[10] = 3
  greeting[11] = 1
  greeting.write(MECHANISM, MECHANISM_AT, 'latin1')
  return greeting
}

/** Throws `zmtp.protocol` when the other end does not speak ZMTP 3 with the NULL mechanism. */
export function checkGreeting(greeting: Buffer): void {
  if (greeting[0] !== 0xff || ((greeting[9] as number) & 1) !== 1) throw protocolError('the peer does not speak ZMTP')
  if ((greeting[10] as number) < 3) throw protocolError(`the peer speaks ZMTP ${greeting[10]}, 3 is needed`)
  const mechanism = greeting.toString('latin1', MECHANISM_AT, MECHANISM_AT + 20).replace(/\0+$/, '')
  if (mechanism !== MECHANISM)
    throw protocolError(`the peer wants security mechanism ${JSON.stringify(mechanism)}, this end has ${MECHANISM}`)
}

export interface ReadyProperties {
  socketType: string
  identity: Buffer
}

export function encodeReady(socketType: string, identity: Uint8Array): Buffer {
  return encodeCommand('READY', Buffer.concat([property('Socket-Type', Buffer.from(socketType)), property('Identity', identity)]))
}

function property(name: string, value: Uint8Array): Buffer {
  const header = Buffer.alloc(1 + name.length + 4)
  header[0] = name.length
  header.write(name, 1, 'latin1')
  header.writeUInt32BE(value.length, 1 + name.length)
  return Buffer.concat([header, value])
}

/** Property names are case-insensitive; unknown ones are ignored. Throws `zmtp.protocol`. */
export function decodeReady(body: Buffer): ReadyProperties {
  const ready: ReadyProperties = { socketType: '', identity: Buffer.alloc(0) }
  for (let at = 0; at < body.length; ) {
    const nameEnd = at + 1 + (body[at] as number)
    if (nameEnd + 4 > body.length) throw protocolError('truncated READY command')
    const valueEnd = nameEnd + 4 + body.readUInt32BE(nameEnd)
    if (valueEnd > body.length) throw protocolError('truncated READY command')
    const name = body.toString('latin1', at + 1, nameEnd).toLowerCase()
    const value = body.subarray(nameEnd + 4, valueEnd)
    if (name === 'socket-type') ready.socketType = value.toString('latin1')
    else if (name === 'identity') ready.identity = Buffer.from(value)
    at = valueEnd
  }
  if (ready.identity.length > 255) throw protocolError('identity longer than 255 octets')
  return ready
}

export function encodeCommand(name: string, body: Uint8Array): Buffer {
  const size = 1 + name.length + body.length
  const header = size > 255 ? Buffer.alloc(9) : Buffer.alloc(2)
  header[0] = size > 255 ? COMMAND | LONG : COMMAND
  if (size > 255) header.writeUInt32BE(size, 5)
  else header[1] = size
  return Buffer.concat([header, Buffer.from([name.length]), Buffer.from(name, 'latin1'), body])
}

/** Frames from this size on are written from where they are; smaller ones are copied into one piece with their headers. */
const BY_REFERENCE_BYTES = 16 * 1024

export interface EncodedMessage {
  pieces: readonly Uint8Array[]
  bytes: number
}

/** A multipart message as octets, encoded once however many peers get it. */
export function encodeMessage(frames: readonly Uint8Array[]): EncodedMessage {
  let copied = 0
  let bytes = 0
  for (const frame of frames) {
    const header = frame.length > 255 ? 9 : 2
    copied += header + (frame.length < BY_REFERENCE_BYTES ? frame.length : 0)
    bytes += header + frame.length
  }
  const block = Buffer.allocUnsafe(copied)
  const pieces: Uint8Array[] = []
  let at = 0
  let from = 0
  for (let i = 0; i < frames.length; i++) {
    const frame = frames[i] as Uint8Array
    const more = i < frames.length - 1 ? MORE : 0
    if (frame.length > 255) {
      block[at] = more | LONG
      block.writeUInt32BE(Math.floor(frame.length / 0x1_0000_0000), at + 1)
      block.writeUInt32BE(frame.length >>> 0, at + 5)
      at += 9
    } else {
      block[at] = more
      block[at + 1] = frame.length
      at += 2
    }
    if (frame.length < BY_REFERENCE_BYTES) {
      block.set(frame, at)
      at += frame.length
    } else {
      pieces.push(block.subarray(from, at), frame)
      from = at
    }
  }
  if (at > from) pieces.push(block.subarray(from, at))
  return { pieces, bytes }
}

export interface ParserEvents {
  onMessage(frames: Buffer[]): void
  onCommand(name: string, body: Buffer): void
  /** A message was longer than allowed; it was skipped as it came, and the connection goes on. */
  onTooLarge(bytes: number): void
}

const MAX_COMMAND_BYTES = 64 * 1024
const MAX_FRAMES = 4096
/** A frame that has not come whole is collected in a buffer of its own from this size on; shorter ones wait for the next chunk. */
const OWN_BUFFER_BYTES = 16 * 1024

/**
 * Octets to messages and commands. Frames are views of the received chunks; only what spans chunks is copied.
 * `push` throws `zmtp.protocol` on octets that are not ZMTP: the connection is beyond repair then.
 */
export class ZmtpParser {
  readonly #events: ParserEvents
  readonly #maxMessageBytes: number
  #rest: Buffer | undefined
  #flags = 0
  #own: Buffer | undefined
  #filled = 0
  #skip = 0
  #frames: Buffer[] = []
  #messageBytes = 0
  #discarding = false

  constructor(maxMessageBytes: number, events: ParserEvents) {
    this.#maxMessageBytes = maxMessageBytes
    this.#events = events
  }

  push(received: Buffer): void {
    let chunk = received
    if (this.#rest) {
      chunk = Buffer.concat([this.#rest, received])
      this.#rest = undefined
    }
    let at = 0
    while (at < chunk.length) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, chunk.length - at)
        this.#skip -= skipped
        at += skipped
        if (this.#skip === 0) this.#frame(undefined)
        continue
      }
      if (this.#own) {
        at += this.#fill(this.#own, chunk, at)
        continue
      }
      const flags = chunk[at] as number
      if (flags > 7) throw protocolError(`reserved frame flags 0x${flags.toString(16)}`)
      const headerBytes = flags & LONG ? 9 : 2
      if (chunk.length - at < headerBytes) break
      const size = flags & LONG ? readLength(chunk, at + 1) : (chunk[at + 1] as number)
      this.#admit(flags, size)
      const body = at + headerBytes
      if (this.#discarding && !(flags & COMMAND)) {
        this.#flags = flags
        this.#messageBytes += size
        this.#skip = size
        at = body
        if (size === 0) this.#frame(undefined)
      } else if (chunk.length - body >= size) {
        this.#flags = flags
        this.#frame(chunk.subarray(body, body + size))
        at = body + size
      } else if (size >= OWN_BUFFER_BYTES) {
        this.#flags = flags
        this.#own = Buffer.allocUnsafeSlow(size)
        this.#filled = 0
        at = body
      } else break
    }
    if (at < chunk.length) this.#rest = at === 0 ? chunk : chunk.subarray(at)
  }

  /** Counts a frame in before its body is kept. */
  #admit(flags: number, size: number): void {
    if (flags & COMMAND) {
      if (size > MAX_COMMAND_BYTES) throw protocolError(`command of ${size} octets`)
      return
    }
    // A short frame that has not come whole is looked at again with the next chunk, so the sum is taken when it is kept.
    if (this.#messageBytes + size <= this.#maxMessageBytes && this.#frames.length < MAX_FRAMES) return
    this.#discarding = true
    this.#frames = []
  }

  #fill(own: Buffer, chunk: Buffer, at: number): number {
    const copied = chunk.copy(own, this.#filled, at)
    this.#filled += copied
    if (this.#filled === own.length) {
      this.#own = undefined
      this.#frame(own)
    }
    return copied
  }

  #frame(body: Buffer | undefined): void {
    const flags = this.#flags
    if (flags & COMMAND) {
      if (!body || body.length < 1 + (body[0] ?? 0)) throw protocolError('truncated command')
      const nameEnd = 1 + (body[0] as number)
      this.#events.onCommand(body.toString('latin1', 1, nameEnd), body.subarray(nameEnd))
      return
    }
    if (body) {
      this.#messageBytes += body.length
      this.#frames.push(body)
    }
    if (flags & MORE) return
    const frames = this.#frames
    const bytes = this.#messageBytes
    const discarded = this.#discarding
    this.#frames = []
    this.#messageBytes = 0
    this.#discarding = false
    if (discarded) this.#events.onTooLarge(bytes)
    else this.#events.onMessage(frames)
  }
}

function readLength(chunk: Buffer, at: number): number {
  const high = chunk.readUInt32BE(at)
  if (high > 0x1f_ffff) throw protocolError('frame length out of range')
  return high * 0x1_0000_0000 + chunk.readUInt32BE(at + 4)
}

export function protocolError(reason: string): LlmspellError {
  return new LlmspellError(`ZeroMQ protocol error: ${reason}`, { code: 'zmtp.protocol', data: { reason } })
}
