import type { MimeBundle } from '../run/exec-events.ts'

/** One representation of an output, in the shape that a notebook keeps. */
export interface Item {
  readonly mime: string
  readonly data: Uint8Array
}

const BASE64 = /^(image\/(?!svg)|application\/pdf|audio\/|video\/)/

/** The representations of a Jupyter MIME bundle. Pictures come as base64, JSON as itself, all else as text or a list of lines. */
export function itemsOf(data: MimeBundle): Item[] {
  return Object.entries(data).map(([mime, value]) => ({ mime, data: bytesOf(mime, value) }))
}

function bytesOf(mime: string, value: unknown): Uint8Array {
  const text = Array.isArray(value) && value.every((line) => typeof line === 'string') ? value.join('') : value
  if (typeof text !== 'string') return Buffer.from(JSON.stringify(text))
  return BASE64.test(mime) ? Buffer.from(text, 'base64') : Buffer.from(text)
}
