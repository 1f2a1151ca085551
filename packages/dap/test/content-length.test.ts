import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeMessage, MessageDecoder } from '../src/content-length.ts'
import type * as Dap from '../src/protocol.ts'

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

function decode(
  chunks: readonly Uint8Array[],
  decoder = new MessageDecoder(),
): { messages: unknown[]; error?: { code: string; message: string } } {
  const messages: unknown[] = []
  try {
    for (const chunk of chunks) decoder.push(chunk, (message) => messages.push(message))
  } catch (error) {
    return { messages, error: error as { code: string; message: string } }
  }
  return { messages }
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** Cuts bytes at these places. */
function split(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b)
  return [0, ...places].map((start, index) => bytes.subarray(start, places[index] ?? bytes.length))
}

const anyMessage = fc.record({
  seq: fc.integer({ min: 1 }),
  type: fc.constant('event' as const),
  event: fc.string({ unit: 'binary' }),
  body: fc.jsonValue(),
}) as fc.Arbitrary<Dap.Event>

describe('a message stream', () => {
  test('arrives as it was sent, however its bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(anyMessage, { maxLength: 5 }), fc.array(fc.nat(2000), { maxLength: 20 }), (messages, cuts) => {
        const decoder = new MessageDecoder()
        const got = decode(split(join(messages.map(encodeMessage)), cuts), decoder)
        expect(got.error).toBeUndefined()
        // What JSON does not tell apart (-0) is compared as JSON.
        expect(got.messages).toEqual(messages.map((message) => JSON.parse(JSON.stringify(message))))
        expect(decoder.idle).toBe(true)
      }),
    )
  })

  test('arrives byte by byte, with any header case and other headers', () => {
    const name = fc
      .tuple(...'content-length'.split('').map((letter) => fc.constantFrom(letter, letter.toUpperCase())))
      .map((letters) => letters.join(''))
    const other = fc.constantFrom(
      '',
      'Content-Type: application/vscode-jsonrpc; charset=utf-8\r\n',
      'X-Empty:\r\n',
      'x: content-length: 7\r\n',
    )
    const space = fc.constantFrom('', ' ', '\t', '  ')
    fc.assert(
      fc.property(name, other, other, space, space, (header, before, after, left, right) => {
        const body = '{"type":"event","event":"ß→𝄞"}'
        const frame = bytesOf(`${before}${header}:${left}${bytesOf(body).length}${right}\r\n${after}\r\n${body}`)
        expect(decode([...frame].map((byte) => Uint8Array.of(byte))).messages).toEqual([JSON.parse(body)])
      }),
    )
  })

  test('counts bytes, not letters', () => {
    const text = new TextDecoder().decode(encodeMessage({ seq: 1, type: 'event', event: 'aß→𝄞\ud800' }))
    const [, length, body] = /^Content-Length: (\d+)\r\n\r\n(.*)$/s.exec(text) ?? []
    expect(Number(length)).toBe(Buffer.byteLength(body ?? ''))
  })
})

describe('what breaks the framing', () => {
  const good = encodeMessage({ seq: 1, type: 'event', event: 'initialized' })

  test.each([
    ['an HTTP request', 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', 'dap.bad_header', '"GET'],
    ['JSON without a header', '{"seq":1}', 'dap.bad_header', 'no header'],
    ['JSON lines', '{"seq":1}\n{"seq":2}\n', 'dap.bad_header', 'no header'],
    ['binary', '\0\x01\x02', 'dap.bad_header', 'no header'],
    ['line ends without CR', 'Content-Length: 2\n\n{}', 'dap.bad_header', 'CR LF'],
    ['no length', 'Content-Type: x\r\n\r\n{}', 'dap.bad_header', 'without Content-Length'],
    ['an empty header', '\r\n{}', 'dap.bad_header', 'without Content-Length'],
    ['a negative length', 'Content-Length: -1\r\n\r\n', 'dap.bad_header', 'number of bytes'],
    ['a hexadecimal length', 'Content-Length: 0x10\r\n\r\n', 'dap.bad_header', 'number of bytes'],
    ['a length that is no number', 'Content-Length: many\r\n\r\n', 'dap.bad_header', 'many'],
    ['an immense length', 'Content-Length: 99999999999999999999\r\n\r\n', 'dap.bad_header', 'number of bytes'],
    ['two lengths', 'Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}', 'dap.bad_header', 'twice'],
    ['a header without end', `X: ${'x'.repeat(5000)}`, 'dap.bad_header', 'longer than'],
    ['headers without end', 'X: 1\r\n'.repeat(1000), 'dap.bad_header', 'longer than'],
    ['a long body', 'Content-Length: 1001\r\n\r\n', 'dap.too_large', '1001 bytes'],
    ['a body that is not JSON', 'Content-Length: 4\r\n\r\nnope', 'dap.bad_json', 'nope'],
    ['an empty body', 'Content-Length: 0\r\n\r\n', 'dap.bad_json', 'not JSON'],
  ])('%s is a clear error, and what came before it still arrives', (_, text, code, words) => {
    const whole = join([good, bytesOf(text)])
    for (const chunks of [[whole], split(whole, [good.length, good.length + 3]), [...whole].map((byte) => Uint8Array.of(byte))]) {
      const { messages, error } = decode(chunks, new MessageDecoder({ maxBytes: 1000 }))
      expect(messages).toHaveLength(1)
      expect(error?.code).toBe(code)
      expect(error?.message).toContain(words)
    }
  })

  test('a body that is not UTF-8', () => {
    expect(decode([bytesOf('Content-Length: 3\r\n\r\n'), Uint8Array.of(34, 0xff, 34)]).error?.code).toBe('dap.bad_json')
    expect(decode([bytesOf('Content-Length: 2\r\n\r\n'), Uint8Array.of(34, 0xc3)]).error?.code).toBe('dap.bad_json')
  })

  test('nothing behind it is read', () => {
    const decoder = new MessageDecoder()
    expect(decode([bytesOf('garbage\r\n')], decoder).error).toBeDefined()
    expect(decode([good], decoder)).toMatchObject({ messages: [], error: { code: 'dap.bad_header' } })
  })

  test('random bytes never do anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const { messages, error } = decode([bytes])
        expect(messages).toEqual([])
        if (error) expect(error.code).toMatch(/^dap\./)
      }),
    )
  })
})

test('long text takes a single frame', () => {
  const output = 'ä'.repeat(5_000_000)
  const frame = encodeMessage({ seq: 1, type: 'event', event: 'output', body: { output } })
  const { messages } = decode(split(frame, [10, 100_000, 5_000_001]))
  expect((messages[0] as Dap.EventOf<'output'>).body.output === output).toBe(true)
})
