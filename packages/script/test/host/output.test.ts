import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BATCH_LIMIT, OutputBuffer, type OutputItem } from '../../src/host/output-buffer.ts'
import { OutputPump } from '../../src/host/output-pump.ts'

function collect(): { buffer: OutputBuffer; batches: OutputItem[][]; sizes: number[] } {
  const batches: OutputItem[][] = []
  const sizes: number[] = []
  const buffer = new OutputBuffer((items, size) => {
    batches.push(items)
    sizes.push(size)
  })
  return { buffer, batches, sizes }
}

function textOf(batches: OutputItem[][]): string {
  return batches
    .flat()
    .map((item) => (item.type === 'stream' ? item.text : ''))
    .join('')
}

describe('OutputBuffer', () => {
  it('joins writes of one stream and keeps the order of streams and displays', () => {
    const { buffer, batches } = collect()
    buffer.writeText('stdout', 'a')
    buffer.writeText('stdout', 'b')
    buffer.writeText('stderr', 'c')
    buffer.push({ type: 'clear', wait: false }, 1)
    buffer.writeText('stderr', 'd')
    expect(batches).toEqual([])
    buffer.flush()
    buffer.flush()
    expect(batches).toEqual([
      [
        { type: 'stream', name: 'stdout', text: 'ab' },
        { type: 'stream', name: 'stderr', text: 'c' },
        { type: 'clear', wait: false },
        { type: 'stream', name: 'stderr', text: 'd' },
      ],
    ])
  })

  it('posts when a batch is full, never more than the limit, and never parts a surrogate pair', () => {
    const { buffer, batches } = collect()
    const text = `x${'🚀'.repeat(BATCH_LIMIT)}`
    buffer.writeText('stdout', text)
    buffer.end()
    expect(textOf(batches)).toBe(text)
    for (const item of batches.flat()) {
      if (item.type !== 'stream') continue
      expect(item.text.length).toBeLessThanOrEqual(BATCH_LIMIT)
      expect(item.text.isWellFormed()).toBe(true)
    }
  })

  it('gives the same text however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.array(fc.nat(8)), (given, cuts) => {
        const text = given.toWellFormed()
        const { buffer, batches } = collect()
        const bytes = Buffer.from(text)
        let at = 0
        for (const cut of cuts) {
          buffer.write('stdout', bytes.subarray(at, at + cut))
          at += cut
        }
        buffer.write('stdout', bytes.subarray(at))
        buffer.end()
        expect(textOf(batches)).toBe(text)
      }),
    )
  })

  it('replaces what is left of a cut character when the execution ends', () => {
    const { buffer, batches } = collect()
    buffer.write('stdout', Buffer.from('é').subarray(0, 1))
    buffer.end()
    expect(textOf(batches)).toBe('\uFFFD')
  })
})

describe('OutputPump', () => {
  const item = (text: string): OutputItem => ({ type: 'stream', name: 'stdout', text })

  it('delivers at once to a host that does not wait', () => {
    const seen: unknown[] = []
    let taken = 0
    const pump = new OutputPump({ output: (output) => void seen.push(output) })
    pump.push('e', [item('a'), item('b')], () => taken++)
    expect(seen).toEqual([
      { executionId: 'e', type: 'stream', name: 'stdout', text: 'a' },
      { executionId: 'e', type: 'stream', name: 'stdout', text: 'b' },
    ])
    expect(taken).toBe(1)
    expect(pump.drained()).toBeUndefined()
  })

  it('waits for the host between outputs, keeps the order, and counts only what was taken', async () => {
    const seen: string[] = []
    const gates: (() => void)[] = []
    let taken = 0
    const pump = new OutputPump({
      output: (output) => {
        if (output.type === 'stream') seen.push(output.text)
        return new Promise<void>((resolve) => gates.push(resolve))
      },
    })
    pump.push('e', [item('a'), item('b')], () => taken++)
    pump.push('e', [item('c')], () => taken++)
    expect(seen).toEqual(['a'])
    expect(taken).toBe(0)
    const drained = pump.drained()
    for (let opened = 0; opened < 3; opened++) {
      gates[opened]?.()
      await new Promise((resolve) => setImmediate(resolve))
    }
    await drained
    expect(seen).toEqual(['a', 'b', 'c'])
    expect(taken).toBe(2)
    expect(pump.drained()).toBeUndefined()
  })

  it.each([
    ['rejects', () => Promise.reject(new Error('gone'))],
    [
      'throws',
      () => {
        throw new Error('gone')
      },
    ],
  ])('goes on after a host that %s', async (_how, output) => {
    let taken = 0
    const pump = new OutputPump({ output })
    pump.push('e', [item('a'), item('b')], () => taken++)
    await pump.drained()
    expect(taken).toBe(1)
  })
})
