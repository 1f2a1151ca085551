import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FrameReader, JSON_FRAME, textFrame } from '../../src/javascript/wire.ts'

describe('frames', () => {
  it('come out as they went in, however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 5 }))),
        fc.array(fc.nat({ max: 20 })),
        (frames, cuts) => {
          const bytes = Buffer.concat(frames.map(([text, kind]) => textFrame(text, kind)))
          const read: [string, number][] = []
          const reader = new FrameReader((kind, payload) => read.push([payload.toString(), kind]))
          let at = 0
          for (const cut of cuts) {
            reader.push(bytes.subarray(at, at + cut))
            at = Math.min(bytes.length, at + cut)
          }
          reader.push(bytes.subarray(at))
          expect(read).toEqual(frames)
        },
      ),
    )
  })

  it.each([
    ['a kind that does not exist', [1, 0, 0, 0, 97, 1]],
    ['a length that cannot be', [255, 255, 255, 255, 1]],
  ])('%s is refused before its payload is waited for', (_, bytes) => {
    expect(() => new FrameReader(() => {}).push(Buffer.from(bytes))).toThrow('no frame')
  })

  it('may be large', () => {
    const text = 'x'.repeat(5_000_000)
    const read: number[] = []
    const reader = new FrameReader((_, payload) => read.push(payload.length))
    const frame = textFrame(text, JSON_FRAME)
    for (let at = 0; at < frame.length; at += 65_536) reader.push(frame.subarray(at, at + 65_536))
    expect(read).toEqual([text.length])
  })
})
