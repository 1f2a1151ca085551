import { duplexPair } from 'node:stream'
import { expect, test } from 'vitest'
import { nodeStream } from '../src/node.ts'

const kilobyte = new Uint8Array(1024)

test('a writer waits for a reader that does not read, and for nothing else', async () => {
  const [near, far] = duplexPair()
  const stream = nodeStream(near, near)
  expect(stream.write(kilobyte)).toBeUndefined()
  const waits = Array.from({ length: 200 }, () => stream.write(kilobyte)).filter((wait) => wait !== undefined)
  expect(waits.length).toBeGreaterThan(0)
  expect(near.listenerCount('drain')).toBe(1)
  far.resume()
  await Promise.all(waits)
  expect(near.listenerCount('drain')).toBe(0)
  expect(stream.write(kilobyte)).toBeUndefined()
})

test('nobody waits for a reader that went away', async () => {
  const [near] = duplexPair()
  const stream = nodeStream(near, near)
  const waits = Array.from({ length: 200 }, () => stream.write(kilobyte)).filter((wait) => wait !== undefined)
  expect(waits.length).toBeGreaterThan(0)
  near.destroy()
  await Promise.all(waits)
  expect(stream.write(kilobyte)).toBeUndefined()
})

test('what was written before closing arrives', async () => {
  const [near, far] = duplexPair()
  const stream = nodeStream(near, near)
  void stream.write(new TextEncoder().encode('goodbye'))
  stream.close()
  const chunks: Buffer[] = []
  for await (const chunk of far) chunks.push(chunk as Buffer)
  expect(Buffer.concat(chunks).toString()).toBe('goodbye')
})
