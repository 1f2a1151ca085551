import { createHmac } from 'node:crypto'
import { codeOf } from '@llmspell/base'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Message } from '../src/message.ts'
import { Session } from '../src/session.ts'
import { createSigner, type SignatureScheme } from '../src/signer.ts'
import { answerableRequest, unsigned, WireCodec } from '../src/wire.ts'

const KEY = 'a0436f6c-1916-498b-8eb9-e81ab9368e84'
const signer = createSigner({ key: KEY, signature_scheme: 'hmac-sha256' })
const session = new Session()
const text = (value: string): Uint8Array => new TextEncoder().encode(value)

const codec = (options: Partial<ConstructorParameters<typeof WireCodec>[0]> = {}): WireCodec => new WireCodec({ signer, ...options })

function codeOfDecode(frames: readonly Uint8Array[], decoder = codec()): string | undefined {
  try {
    decoder.decode(frames, 'shell')
    return undefined
  } catch (error) {
    return codeOf(error)
  }
}

/** Signed as another implementation would, from raw part texts. */
function signedFrames(parts: readonly [string, string, string, string], key = KEY): Uint8Array[] {
  const bytes = parts.map(text)
  const hmac = createHmac('sha256', key)
  for (const part of bytes) hmac.update(part)
  return [text('<IDS|MSG>'), text(hmac.digest('hex')), ...bytes]
}

const HEADER = JSON.stringify({ msg_id: '1', session: 's', username: 'u', date: 'd', msg_type: 't_request', version: '5.3' })

describe('a message', () => {
  const message = session.create(
    'stream',
    { name: 'stdout', text: 'π 😀 \u2028 \ud800' },
    { parent: session.create('kernel_info_request', {}) },
  )

  it('keeps all it has through encode and decode', () => {
    const { message: decoded, identities } = codec().decode([text('peer'), ...codec().encode(message)], 'iopub')
    expect(decoded).toEqual(message)
    expect(identities).toEqual([text('peer')])
  })

  it('has its buffers handed over, not copied', () => {
    const buffer = new Uint8Array([1, 2])
    const { message: decoded } = codec().decode(codec().encode({ ...message, buffers: [buffer] }), 'iopub')
    expect(decoded.buffers[0]).toBe(buffer)
  })

  it('is signed as RFC 2104 says, whatever the lengths of key and message', () => {
    for (const [scheme, name] of [
      ['hmac-sha256', 'sha256'],
      ['hmac-sha512', 'sha512'],
    ] satisfies [SignatureScheme, string][])
      for (const key of ['k', 'π'.repeat(40), 'x'.repeat(300)])
        for (const length of [0, 1, 500, 16_000, 17_000, 100_000]) {
          const frames = codec({ signer: createSigner({ key, signature_scheme: scheme }) }).encode({
            ...message,
            content: { text: 'é'.repeat(length) },
          })
          const hmac = createHmac(name, key)
          for (const part of frames.slice(2, 6)) hmac.update(part)
          expect(new TextDecoder().decode(frames[1])).toBe(hmac.digest('hex'))
        }
  })

  it('goes unsigned only on a connection without key', () => {
    const plain = codec({ signer: createSigner({ key: '', signature_scheme: 'hmac-sha256' }) })
    const frames = plain.encode(message)
    expect(frames[1]?.length).toBe(0)
    expect(plain.decode(frames, 'iopub').message).toEqual(message)
    expect(codeOfDecode(frames)).toBe('wire.unsigned')
  })

  it('that JSON cannot hold becomes a failed reply, or nothing, and somebody is told', () => {
    const failures: (string | undefined)[] = []
    const told = (error: Error): unknown => failures.push(codeOf(error))
    const cycle: Record<string, unknown> = {}
    cycle['self'] = cycle
    const reply = codec().tryEncode(session.createRaw('any_reply', 'shell', { status: 'ok', big: 1n }), told)
    expect(codec().decode(reply as Uint8Array[], 'shell').message.content).toMatchObject({ status: 'error', ename: 'wire.unencodable' })
    expect(codec().tryEncode(session.createRaw('display_data', 'iopub', cycle), told)).toBeUndefined()
    expect(failures).toEqual(['wire.unencodable', 'wire.unencodable'])
  })

  it('is refused on a signed connection when the scheme is unknown', () => {
    expect(() => createSigner({ key: KEY, signature_scheme: 'hmac-md5' })).toThrow(/unknown signature scheme "hmac-md5"/)
  })
})

describe('received frames', () => {
  it('are checked in order: delimiter, parts, signature, replay, size, JSON, shape', () => {
    expect(codeOfDecode([])).toBe('wire.no_delimiter')
    expect(codeOfDecode([text('a'), text('b')])).toBe('wire.no_delimiter')
    expect(codeOfDecode([text('<IDS|MSG>'), text(''), text('{}'), text('{}'), text('{}')])).toBe('wire.too_few_parts')
    expect(codeOfDecode(signedFrames([HEADER, '{}', '{}', '{"a":1}']), codec({ maxJsonBytes: 50 }))).toBe('wire.too_large')
    expect(codeOfDecode(signedFrames(['not JSON', '{}', '{}', '{}'], 'another key'))).toBe('wire.bad_signature')
    expect(codeOfDecode(signedFrames([HEADER, '{}', '{}', '{']))).toBe('wire.bad_json')
    expect(codeOfDecode(signedFrames([HEADER, '{}', '{}', '[]']))).toBe('wire.bad_shape')
    expect(codeOfDecode(signedFrames([HEADER, '7', '{}', '{}']))).toBe('wire.bad_shape')
    expect(codeOfDecode(signedFrames([HEADER, '{}', 'null', '{}']))).toBe('wire.bad_shape')
    expect(codeOfDecode(signedFrames(['{}', '{}', '{}', '{}']))).toBe('wire.bad_header')
    expect(codeOfDecode(signedFrames(['{"msg_id":1,"msg_type":"t"}', '{}', '{}', '{}']))).toBe('wire.bad_header')
    expect(codeOfDecode(signedFrames([HEADER, '{"msg_id":1}', '{}', '{}']))).toBe('wire.bad_header')
    expect(codeOfDecode(signedFrames([HEADER, '{}', '{}', '{}']))).toBeUndefined()
  })

  it('name the asker when they are authentic and only their content is bad', () => {
    const asker = (frames: Uint8Array[], decoder = codec()): unknown => {
      try {
        decoder.decode([text('peer'), ...frames], 'shell')
        return 'decoded'
      } catch (error) {
        const request = answerableRequest(error)
        return request && [request.identities, request.header.msg_type]
      }
    }
    const expected = [[text('peer')], 't_request']
    expect(asker(signedFrames([HEADER, '{}', '{}', '{']))).toEqual(expected)
    expect(asker(signedFrames([HEADER, '{}', '{}', '7']))).toEqual(expected)
    expect(asker(signedFrames([HEADER, '{}', '{}', '{"a":1}']), codec({ maxJsonBytes: 50 }))).toEqual(expected)
    expect(asker(signedFrames([HEADER, '{}', '{}', '{'], 'another key'))).toBeUndefined()
    expect(asker(signedFrames(['{', '{}', '{}', '{}']))).toBeUndefined()
  })

  it('may leave out what old clients leave out', () => {
    const frames = signedFrames(['{"msg_id":"1","msg_type":"t","username":null,"extra":[1]}', 'null', '{}', '{}'])
    const { message } = codec().decode(frames, 'shell')
    expect(message.header).toEqual({ msg_id: '1', msg_type: 't', session: '', username: '', date: '', version: '', extra: [1] })
    expect(message.parent_header).toEqual({})
    const partial = signedFrames([HEADER, '{"msg_id":"x"}', '{}', '{}'])
    expect(codec().decode(partial, 'shell').message.parent_header).toMatchObject({ msg_id: 'x', msg_type: '' })
  })

  it('are refused the second time, but only if they verified the first time', () => {
    const decoder = codec()
    const frames = signedFrames([HEADER, '{}', '{}', '{}'])
    const forged = [...frames.slice(0, 5), text('{"forged":1}')]
    expect(codeOfDecode(forged, decoder)).toBe('wire.bad_signature')
    expect(codeOfDecode(frames, decoder)).toBeUndefined()
    expect(codeOfDecode(frames, decoder)).toBe('wire.replayed')
    expect(codeOfDecode(frames, codec({ replayHistory: 0 }))).toBeUndefined()
  })

  it('are remembered in bounded memory, the last ones for certain', () => {
    const decoder = codec({ replayHistory: 10 })
    const all = Array.from({ length: 100 }, (_, i) => signedFrames([HEADER, '{}', '{}', `{"i":${i}}`]))
    for (const frames of all) expect(codeOfDecode(frames, decoder)).toBeUndefined()
    for (const frames of all.slice(-10)) expect(codeOfDecode(frames, decoder)).toBe('wire.replayed')
    expect(codeOfDecode(all[0] as Uint8Array[], decoder)).toBeUndefined()
  })

  it('are refused when any byte of a signed part or of the signature changes', () => {
    const frames = codec().encode(session.create('status', { execution_state: 'busy' }))
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.nat(), fc.integer({ min: 1, max: 255 }), (part, at, flip) => {
        const changed = frames.map((frame) => Uint8Array.from(frame))
        const bytes = changed[part] as Uint8Array
        bytes[at % bytes.length] = (bytes[at % bytes.length] as number) ^ flip
        expect(codeOfDecode(changed)).toBe('wire.bad_signature')
      }),
    )
  })
})

describe('fuzzed', () => {
  const json = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue())
  const word = fc.string({ unit: 'binary', minLength: 1 })
  const header = fc.record({ msg_id: word, session: word, username: word, date: word, msg_type: word, version: word })
  const message = fc.record({
    channel: fc.constantFrom('shell', 'control', 'iopub', 'stdin'),
    header,
    parent_header: fc.oneof(header, fc.constant({})),
    metadata: json,
    content: json,
    buffers: fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 3 }),
  }) as fc.Arbitrary<Message>

  it('messages come back as JSON would have them', () => {
    fc.assert(
      fc.property(message, fc.boolean(), (original, signed) => {
        const sides = signed ? {} : { signer: unsigned }
        const decoded = codec(sides).decode(codec(sides).encode(original), original.channel).message
        const { buffers, ...rest } = original
        const { buffers: decodedBuffers, ...decodedRest } = decoded
        expect(JSON.stringify(decodedRest)).toBe(JSON.stringify(rest))
        expect(decodedBuffers).toEqual(buffers)
      }),
    )
  })

  it('random frames are refused with a wire code, never otherwise', () => {
    const frame = fc.oneof(fc.uint8Array({ maxLength: 30 }), fc.constantFrom(text('<IDS|MSG>'), text('{}'), text(HEADER), text('')))
    for (const decoder of [codec(), codec({ signer: unsigned })])
      fc.assert(
        fc.property(fc.array(frame, { maxLength: 9 }), (frames) => {
          const code = codeOfDecode(frames, decoder)
          if (code !== undefined) expect(code).toMatch(/^wire\.[a-z_]+$/)
        }),
      )
  })

  it('well-signed JSON of any shape is a message or refused with a wire code', () => {
    const part = fc.oneof(fc.json(), fc.constant(HEADER), fc.constant('{}'))
    fc.assert(
      fc.property(fc.tuple(part, part, part, part), (parts) => {
        const code = codeOfDecode(signedFrames(parts))
        if (code !== undefined) expect(code).toMatch(/^wire\.bad_(json|shape|header)$/)
      }),
    )
  })

  it('truncated and reordered frames are refused or decode', () => {
    fc.assert(
      fc.property(message, fc.nat({ max: 10 }), fc.nat({ max: 10 }), (original, cut, from) => {
        const frames = codec().encode(original)
        const code = codeOfDecode(frames.slice(from % 4, cut))
        if (code !== undefined) expect(code).toMatch(/^wire\./)
      }),
    )
  })
})
