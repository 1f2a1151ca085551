import { codeOf } from '@llmspell/base'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  checkGreeting,
  decodeReady,
  encodeCommand,
  encodeGreeting,
  encodeMessage,
  encodeReady,
  ZmtpParser,
} from '../../src/zmtp/framing.ts'

interface Parsed {
  messages: Buffer[][]
  commands: [string, Buffer][]
  tooLarge: number[]
}

function parse(chunks: readonly Buffer[], maxMessageBytes = Number.MAX_SAFE_INTEGER): Parsed {
  const parsed: Parsed = { messages: [], commands: [], tooLarge: [] }
  const parser = new ZmtpParser(maxMessageBytes, {
    onMessage: (frames) => parsed.messages.push(frames),
    onCommand: (name, body) => parsed.commands.push([name, body]),
    onTooLarge: (bytes) => parsed.tooLarge.push(bytes),
  })
  for (const chunk of chunks) parser.push(chunk)
  return parsed
}

const octets = (frames: readonly Uint8Array[]): Buffer => Buffer.concat(encodeMessage(frames).pieces)

/** Cut at the given places, which are taken modulo the length. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b)
  return [0, ...at].map((from, i) => bytes.subarray(from, at[i] ?? bytes.length))
}

describe('messages', () => {
  it('have one or eight octets of length, and the flag of more', () => {
    expect([...octets([Buffer.from('ab')])]).toEqual([0, 2, 97, 98])
    expect([...octets([Buffer.alloc(0), Buffer.from('c')])]).toEqual([1, 0, 0, 1, 99])
    expect([...octets([Buffer.alloc(256)]).subarray(0, 9)]).toEqual([2, 0, 0, 0, 0, 0, 0, 1, 0])
  })

  it('hand on large frames by reference', () => {
    const large = Buffer.alloc(100_000)
    const { pieces, bytes } = encodeMessage([Buffer.from('a'), large, Buffer.from('b')])
    expect(pieces[1]).toBe(large)
    expect(bytes).toBe(pieces.reduce((sum, piece) => sum + piece.length, 0))
  })

  it('come back however the stream is cut', () => {
    const frame = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.integer({ min: 15_000, max: 40_000 }).map((length) => new Uint8Array(length).fill(length % 256)),
    )
    fc.assert(
      fc.property(
        fc.array(fc.array(frame, { minLength: 1, maxLength: 4 }), { maxLength: 4 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        (messages, places) => {
          const stream = Buffer.concat(messages.map(octets))
          const { messages: parsed } = parse(cut(stream, places))
          expect(parsed.map((frames) => frames.map((bytes) => bytes.toString('base64')))).toEqual(
            messages.map((frames) => frames.map((bytes) => Buffer.from(bytes).toString('base64'))),
          )
        },
      ),
      { numRuns: 60 },
    )
  })

  it('that are too large are skipped as they come, and the next one is read', () => {
    const stream = Buffer.concat([
      octets([Buffer.alloc(50)]),
      octets([Buffer.alloc(60), Buffer.alloc(41)]),
      octets([Buffer.alloc(5000)]),
      octets([Buffer.from('next')]),
    ])
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 20 }), (places) => {
        const { messages, tooLarge } = parse(cut(stream, places), 100)
        expect(messages.map((frames) => frames.length)).toEqual([1, 1])
        expect(messages[1]?.[0]?.toString()).toBe('next')
        expect(tooLarge).toEqual([101, 5000])
      }),
    )
  })

  it('of very many frames are too large, whatever their bytes', () => {
    const { messages, tooLarge } = parse([octets(Array.from({ length: 5000 }, () => Buffer.alloc(0))), octets([Buffer.from('next')])])
    expect([messages.length, tooLarge.length]).toEqual([1, 1])
  })

  it('may announce any length without memory being taken for it', () => {
    const announced = Buffer.from([2, 0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
    expect(parse([announced, Buffer.alloc(1000)], 1000)).toEqual({ messages: [], commands: [], tooLarge: [] })
  })
})

describe('commands', () => {
  it('come between messages', () => {
    const { messages, commands } = parse([
      Buffer.concat([octets([Buffer.from('a')]), encodeCommand('PING', Buffer.from([0, 9])), octets([Buffer.from('b')])]),
    ])
    expect(messages.flat().map(String)).toEqual(['a', 'b'])
    expect(commands).toEqual([['PING', Buffer.from([0, 9])]])
  })

  it('READY carries socket type and identity', () => {
    const [[name, body]] = parse([encodeReady('DEALER', Buffer.from('me'))]).commands as [[string, Buffer]]
    expect([name, decodeReady(body)]).toEqual(['READY', { socketType: 'DEALER', identity: Buffer.from('me') }])
  })

  it('of any octets are read or refused as a protocol error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (body) => {
        try {
          decodeReady(Buffer.from(body))
        } catch (error) {
          expect(codeOf(error)).toBe('zmtp.protocol')
        }
      }),
    )
  })
})

describe('what is not ZMTP', () => {
  it('is refused at the greeting, with the reason', () => {
    const greeting = encodeGreeting()
    checkGreeting(greeting)
    expect(() => checkGreeting(Buffer.from('GET / HTTP/1.1\r\n'.padEnd(64)))).toThrow('does not speak ZMTP')
    const old = Buffer.from(greeting)
    old[10] = 1
    expect(() => checkGreeting(old)).toThrow('speaks ZMTP 1')
    const curve = Buffer.from(greeting)
    curve.write('CURVE\0', 12, 'latin1')
    expect(() => checkGreeting(curve)).toThrow('security mechanism "CURVE"')
  })

  it('is parsed or refused as a protocol error, whatever the octets', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 6 }), (chunks) => {
        try {
          parse(
            chunks.map((chunk) => Buffer.from(chunk)),
            1000,
          )
        } catch (error) {
          expect(codeOf(error)).toBe('zmtp.protocol')
        }
      }),
      { numRuns: 500 },
    )
  })
})
