import { codeOf } from '@llmspell/base'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Session } from '../src/session.ts'
import { decodeWebSocket, encodeWebSocket, WEBSOCKET_SUBPROTOCOL, type WebSocketProtocol } from '../src/websocket.ts'

const PROTOCOLS: WebSocketProtocol[] = ['', WEBSOCKET_SUBPROTOCOL]
const session = new Session()
const parent = session.create('kernel_info_request', {})

describe.each(PROTOCOLS)('WebSocket subprotocol "%s"', (protocol) => {
  it('brings a message back, with and without buffers', () => {
    const plain = session.create('stream', { name: 'stdout', text: 'π 😀' }, { parent, metadata: { a: [1] } })
    const withBuffers = { ...plain, buffers: [new Uint8Array([1, 2, 3]), new Uint8Array(0), new Uint8Array([255])] }
    for (const message of [plain, withBuffers]) expect(decodeWebSocket(encodeWebSocket(message, protocol), protocol)).toEqual(message)
  })

  it('refuses truncated, corrupted and random frames with a wire code, and nothing else', () => {
    const frame = encodeWebSocket(
      { ...session.create('status', { execution_state: 'idle' }), buffers: [new Uint8Array(9)] },
      protocol,
    ) as Uint8Array
    const refused = (data: string | Uint8Array): void => {
      try {
        decodeWebSocket(data, protocol)
      } catch (error) {
        expect(codeOf(error)).toMatch(/^wire\./)
      }
    }
    for (let length = 0; length < frame.length; length++) refused(frame.subarray(0, length))
    fc.assert(
      fc.property(fc.nat(), fc.nat({ max: 255 }), (at, byte) => {
        const corrupted = Uint8Array.from(frame)
        corrupted[at % corrupted.length] = byte
        refused(corrupted)
      }),
    )
    fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), fc.string(), fc.json()), refused))
  })

  it('reads a frame that does not begin its buffer', () => {
    const message = { ...session.create('status', { execution_state: 'idle' }), buffers: [new Uint8Array([7])] }
    const frame = encodeWebSocket(message, protocol) as Uint8Array
    const shifted = new Uint8Array(frame.length + 3)
    shifted.set(frame, 3)
    expect(decodeWebSocket(shifted.subarray(3), protocol)).toEqual(message)
  })
})

it('the default subprotocol is JSON text when there are no buffers', () => {
  const message = session.create('status', { execution_state: 'idle' })
  expect(JSON.parse(encodeWebSocket(message, '') as string)).toMatchObject({ channel: 'iopub', header: message.header, buffers: [] })
})

it('the v1 subprotocol lays out offsets as 64-bit little-endian, channel first', () => {
  const frame = encodeWebSocket(session.create('status', { execution_state: 'idle' }), WEBSOCKET_SUBPROTOCOL) as Uint8Array
  const view = new DataView(frame.buffer)
  const count = Number(view.getBigUint64(0, true))
  expect(count).toBe(6)
  const offset = (i: number): number => Number(view.getBigUint64(8 * (i + 1), true))
  expect(new TextDecoder().decode(frame.subarray(offset(0), offset(1)))).toBe('iopub')
  expect(offset(5)).toBe(frame.length)
})
