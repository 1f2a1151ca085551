import { LlmspellError } from '@llmspell/base'
import { concatBytes, utf8Decode, utf8Encode } from './bytes.ts'
import type { Channel, Message } from './message.ts'
import { asMessage } from './wire.ts'

/**
 * Messages as Jupyter Server's WebSocket carries them: one frame a message, all channels in one socket, unsigned.
 * https://jupyter-server.readthedocs.io/en/latest/developers/websocket-protocols.html
 */

/** The subprotocol to negotiate; without it the default one is spoken. */
export const WEBSOCKET_SUBPROTOCOL = 'v1.kernel.websocket.jupyter.org'

export type WebSocketProtocol = typeof WEBSOCKET_SUBPROTOCOL | ''

export function encodeWebSocket(message: Message<object>, protocol: WebSocketProtocol): string | Uint8Array<ArrayBuffer> {
  if (protocol === WEBSOCKET_SUBPROTOCOL) return encodeV1(message)
  return message.buffers.length === 0 ? toJson(message) : encodeDefaultBinary(message)
}

/** Throws a LlmspellError with code `wire.bad_frame`, `wire.bad_json`, `wire.bad_header` or `wire.bad_shape`. */
export function decodeWebSocket(data: string | Uint8Array, protocol: WebSocketProtocol): Message {
  if (protocol === WEBSOCKET_SUBPROTOCOL) {
    if (typeof data === 'string') throw badFrame('text frame in the v1 subprotocol')
    return decodeV1(data)
  }
  return typeof data === 'string' ? fromJson(data, []) : decodeDefaultBinary(data)
}

function toJson(message: Message<object>): string {
  const { channel, header, parent_header, metadata, content } = message
  return JSON.stringify({ channel, header, parent_header, metadata, content, buffers: [] })
}

function fromJson(text: string, buffers: readonly Uint8Array[]): Message {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new LlmspellError('WebSocket message is not JSON', { code: 'wire.bad_json', cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badFrame('the message is not an object')
  const { channel, header, parent_header, metadata, content } = value as Record<string, unknown>
  return asMessage(checkChannel(channel), header, parent_header ?? {}, metadata ?? {}, content ?? {}, buffers)
}

/** Number of parts, the offset of each, then the JSON and the buffers; 32-bit big-endian. */
function encodeDefaultBinary(message: Message<object>): Uint8Array<ArrayBuffer> {
  const parts = [utf8Encode(toJson(message)), ...message.buffers]
  const head = new Uint8Array(4 * (parts.length + 1))
  const view = new DataView(head.buffer)
  view.setUint32(0, parts.length)
  let at = head.length
  parts.forEach((part, i) => {
    view.setUint32(4 * (i + 1), at)
    at += part.length
  })
  if (at > 0xffff_ffff) throw badFrame('the message is longer than 32-bit offsets reach')
  return concatBytes([head, ...parts])
}

function decodeDefaultBinary(data: Uint8Array): Message {
  const view = viewOf(data)
  if (data.length < 4) throw badFrame('no room for its number of parts')
  const count = view.getUint32(0)
  const headBytes = 4 * (count + 1)
  if (count < 1 || headBytes > data.length) throw badFrame(`${count} parts do not fit ${data.length} bytes`)
  const offsets = Array.from({ length: count }, (_, i) => view.getUint32(4 * (i + 1)))
  const [json, ...buffers] = slices(data, [...offsets, data.length], headBytes) as [Uint8Array, ...Uint8Array[]]
  return fromJson(utf8Decode(json), buffers)
}

/** Number of offsets, the offsets (one more than parts: the last is the end), then channel, the four JSON parts, buffers; 64-bit little-endian. */
function encodeV1(message: Message<object>): Uint8Array<ArrayBuffer> {
  const json = [message.header, message.parent_header, message.metadata, message.content].map((part) => utf8Encode(JSON.stringify(part)))
  const parts = [utf8Encode(message.channel), ...json, ...message.buffers]
  const head = new Uint8Array(8 * (parts.length + 2))
  const view = new DataView(head.buffer)
  view.setBigUint64(0, BigInt(parts.length + 1), true)
  let at = head.length
  parts.forEach((part, i) => {
    view.setBigUint64(8 * (i + 1), BigInt(at), true)
    at += part.length
  })
  view.setBigUint64(8 * (parts.length + 1), BigInt(at), true)
  return concatBytes([head, ...parts])
}

function decodeV1(data: Uint8Array): Message {
  const view = viewOf(data)
  if (data.length < 8) throw badFrame('no room for its number of offsets')
  const count = Number(view.getBigUint64(0, true))
  const headBytes = 8 * (count + 1)
  if (count < 6 || headBytes > data.length) throw badFrame(`${count} offsets do not fit ${data.length} bytes`)
  const offsets = Array.from({ length: count }, (_, i) => Number(view.getBigUint64(8 * (i + 1), true)))
  const parts = slices(data, offsets, headBytes)
  const [channel, header, parent, metadata, content, ...buffers] = parts as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array]
  return asMessage(
    checkChannel(utf8Decode(channel)),
    parseJson(header, 'header'),
    parseJson(parent, 'parent_header'),
    parseJson(metadata, 'metadata'),
    parseJson(content, 'content'),
    buffers,
  )
}

/** The parts between neighbouring offsets, which must ascend from the end of the head to the end of the data. */
function slices(data: Uint8Array, offsets: readonly number[], headBytes: number): Uint8Array[] {
  let previous = headBytes
  for (const offset of offsets) {
    if (offset < previous || offset > data.length) throw badFrame('offsets out of order or out of range')
    previous = offset
  }
  return offsets.slice(0, -1).map((offset, i) => data.subarray(offset, offsets[i + 1]))
}

function parseJson(bytes: Uint8Array, part: string): unknown {
  try {
    return JSON.parse(utf8Decode(bytes))
  } catch (cause) {
    throw new LlmspellError(`${part} is not JSON`, { code: 'wire.bad_json', data: { part }, cause })
  }
}

const CHANNEL_NAMES: readonly unknown[] = ['shell', 'control', 'iopub', 'stdin'] satisfies Channel[]

function checkChannel(channel: unknown): Channel {
  if (!CHANNEL_NAMES.includes(channel)) throw badFrame(`unknown channel ${JSON.stringify(channel)?.slice(0, 40)}`)
  return channel as Channel
}

function viewOf(data: Uint8Array): DataView {
  return new DataView(data.buffer, data.byteOffset, data.byteLength)
}

function badFrame(reason: string): LlmspellError {
  return new LlmspellError(`bad WebSocket message: ${reason}`, { code: 'wire.bad_frame', data: { reason } })
}
