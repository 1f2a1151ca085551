import { StringDecoder } from 'node:string_decoder'
import type { MimeBundle } from '../engine.ts'

/** Output on its way from the script's thread to the kernel's, without the execution id that the kernel's side knows. */
export type OutputItem =
  | { type: 'stream'; name: 'stdout' | 'stderr'; text: string }
  | { type: 'display'; data: MimeBundle; metadata: Record<string, unknown>; displayId?: string; update?: boolean }
  | { type: 'clear'; wait: boolean }

/** Characters of stream text in one batch. */
export const BATCH_LIMIT = 65_536

/**
 * Joins what a script writes into batches, in order. Text may arrive as bytes that cut a character in two: the rest of the
 * character waits for the next write.
 */
export class OutputBuffer {
  readonly #post: (items: OutputItem[], size: number) => void
  readonly #decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') }
  #items: OutputItem[] = []
  #text = ''
  #stream: 'stdout' | 'stderr' = 'stdout'
  #size = 0

  /** `size` is the length of the batch in UTF-16 units, roughly. */
  constructor(post: (items: OutputItem[], size: number) => void) {
    this.#post = post
  }

  get pending(): boolean {
    return this.#size > 0
  }

  write(stream: 'stdout' | 'stderr', bytes: Uint8Array): void {
    this.writeText(stream, this.#decoders[stream].write(bytes as Buffer))
  }

  writeText(stream: 'stdout' | 'stderr', text: string): void {
    if (text === '') return
    if (stream !== this.#stream) {
      this.#closeStream()
      this.#stream = stream
    }
    let rest = text
    while (this.#size + rest.length > BATCH_LIMIT) {
      const cut = cutBefore(rest, BATCH_LIMIT - this.#size)
      this.#text += rest.slice(0, cut)
      this.#size += cut
      rest = rest.slice(cut)
      this.flush()
    }
    this.#text += rest
    this.#size += rest.length
  }

  /** `size` counts against back-pressure like text does. */
  push(item: OutputItem, size: number): void {
    this.#closeStream()
    this.#items.push(item)
    this.#size += Math.max(1, size)
  }

  flush(): void {
    this.#closeStream()
    if (this.#items.length === 0) return
    const items = this.#items
    const size = this.#size
    this.#items = []
    this.#size = 0
    this.#post(items, size)
  }

  /** The execution is over: what is left of a cut character can not be completed any more. */
  end(): void {
    for (const stream of ['stdout', 'stderr'] as const) this.writeText(stream, this.#decoders[stream].end())
    this.flush()
  }

  #closeStream(): void {
    if (this.#text === '') return
    this.#items.push({ type: 'stream', name: this.#stream, text: this.#text })
    this.#text = ''
  }
}

/** The greatest cut up to `limit` that does not part a surrogate pair. */
function cutBefore(text: string, limit: number): number {
  const code = text.charCodeAt(limit)
  return limit > 0 && code >= 0xdc00 && code <= 0xdfff ? limit - 1 : limit
}
