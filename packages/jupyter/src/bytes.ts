/**
 * UTF-8 and byte joining. On Node the `Buffer` global encodes a string of the size of a header about eight times faster
 * than TextEncoder, and this is on the way of every message; a browser has no `Buffer` and takes the standard way.
 */
const nodeBuffer = (globalThis as { Buffer?: { from(text: string): Uint8Array } }).Buffer

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export const utf8Encode: (text: string) => Uint8Array = nodeBuffer ? (text) => nodeBuffer.from(text) : (text) => encoder.encode(text)

/** Throws a TypeError on bytes that are not UTF-8. */
export function utf8Decode(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}

export function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let total = 0
  for (const part of parts) total += part.length
  const joined = new Uint8Array(total)
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}
