import { LlmspellError } from '@llmspell/base'
import type { ProtocolMessage } from './protocol.ts'

const encoder = new TextEncoder()

/** One message as the Base Protocol writes it: a `Content-Length` header, an empty line, JSON in UTF-8. */
export function encodeMessage(message: ProtocolMessage): Uint8Array {
  const json = JSON.stringify(message)
  const length = utf8Length(json)
  const header = `Content-Length: ${length}\r\n\r\n`
  const bytes = new Uint8Array(header.length + length)
  encoder.encodeInto(header, bytes)
  encoder.encodeInto(json, bytes.subarray(header.length))
  return bytes
}

/** Bytes, so that the frame is allocated once and the text is written right into it. */
function utf8Length(text: string): number {
  if (!BEYOND_ASCII.test(text)) return text.length
  let length = text.length
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit < 0x80) continue
    // A pair is two units and four bytes. A lone half cannot be: JSON.stringify escapes it.
    length += unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 1 : 2
  }
  return length
}

const BEYOND_ASCII = /[\u0080-\uffff]/

export interface DecoderOptions {
  /** The longest body that is read. Default: 64 MiB. */
  maxBytes?: number
}

const MAX_BYTES = 64 * 1024 * 1024
/** Real headers are one line of some twenty bytes. */
const MAX_HEADER_BYTES = 4096
const LF = 10

/**
 * Reads messages from chunks of bytes, however they are split. What breaks the framing is an error with code `dap.bad_header`,
 * `dap.too_large` or `dap.bad_json`, and is final: nothing behind it is looked at, because nobody knows where the next message starts.
 */
export class MessageDecoder {
  readonly #maxBytes: number
  #failure: LlmspellError | undefined
  /** The header line so far, and the bytes of the whole header. */
  #line = ''
  #headerBytes = 0
  #contentLength: number | undefined
  /** Bytes of the body still to come; undefined while the header is read. */
  #missing: number | undefined
  #text = ''
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true })

  constructor(options: DecoderOptions = {}) {
    this.#maxBytes = options.maxBytes ?? MAX_BYTES
  }

  /** True between messages: an end of input here loses nothing. */
  get idle(): boolean {
    return this.#missing === undefined && this.#headerBytes === 0
  }

  /**
   * Calls `onMessage`, which must not throw, for each message that this chunk completes, in order; then throws if the chunk breaks
   * the framing.
   */
  push(chunk: Uint8Array, onMessage: (message: unknown) => void): void {
    if (this.#failure) throw this.#failure
    try {
      let at = 0
      while (at < chunk.length)
        at = this.#missing === undefined ? this.#readHeader(chunk, at, onMessage) : this.#readBody(chunk, at, onMessage)
    } catch (error) {
      if (LlmspellError.is(error)) this.#failure = error
      throw error
    }
  }

  /** One line of the header, or the part of it that is there. */
  #readHeader(chunk: Uint8Array, at: number, onMessage: (message: unknown) => void): number {
    const newline = chunk.indexOf(LF, at)
    const end = newline < 0 ? chunk.length : newline + 1
    this.#headerBytes += end - at
    if (this.#headerBytes > MAX_HEADER_BYTES)
      throw badHeader(`a header longer than ${MAX_HEADER_BYTES} bytes`, this.#line, { bytes: this.#headerBytes })
    this.#line += latin1(chunk, at, end)
    // Said at once: what is no header would otherwise be waited for until it has an end.
    if (!PARTIAL_LINE.test(this.#line)) throw badHeader('this is no header', this.#line.trimEnd())
    if (newline < 0) return end
    if (!this.#line.endsWith('\r\n')) throw badHeader('header lines must end with CR LF', this.#line)
    const line = this.#line.slice(0, -2)
    this.#line = ''
    if (line !== '') this.#takeField(line)
    else this.#startBody(onMessage)
    return end
  }

  #takeField(line: string): void {
    const field = FIELD.exec(line)
    if (!field) throw badHeader('this is no header', line)
    const [, name = '', value = ''] = field
    if (name.toLowerCase() !== 'content-length') return
    if (!/^\d{1,15}$/.test(value)) throw badHeader('Content-Length must be a number of bytes', line)
    const length = Number(value)
    if (this.#contentLength !== undefined && this.#contentLength !== length) throw badHeader('Content-Length is given twice', line)
    this.#contentLength = length
  }

  #startBody(onMessage: (message: unknown) => void): void {
    const length = this.#contentLength
    if (length === undefined) throw badHeader('a header without Content-Length', '')
    if (length > this.#maxBytes)
      throw new LlmspellError(`a message of ${length} bytes is longer than the ${this.#maxBytes} bytes that are read`, {
        code: 'dap.too_large',
        data: { length, maxBytes: this.#maxBytes },
      })
    this.#contentLength = undefined
    this.#headerBytes = 0
    this.#missing = length
    if (length === 0) this.#finish(onMessage)
  }

  #readBody(chunk: Uint8Array, at: number, onMessage: (message: unknown) => void): number {
    const missing = this.#missing as number
    const end = Math.min(chunk.length, at + missing)
    this.#missing = missing - (end - at)
    try {
      this.#text += this.#utf8.decode(chunk.subarray(at, end), { stream: this.#missing > 0 })
    } catch (cause) {
      throw new LlmspellError('a message that is not UTF-8', { code: 'dap.bad_json', cause })
    }
    if (this.#missing === 0) this.#finish(onMessage)
    return end
  }

  #finish(onMessage: (message: unknown) => void): void {
    const text = this.#text
    this.#text = ''
    this.#missing = undefined
    let message: unknown
    try {
      message = JSON.parse(text)
    } catch (cause) {
      throw new LlmspellError(`a message that is not JSON: ${excerpt(text)}`, { code: 'dap.bad_json', cause })
    }
    onMessage(message)
  }
}

const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/
const PARTIAL_LINE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]*(:.*)?\r?\n?$/

function latin1(bytes: Uint8Array, start: number, end: number): string {
  let text = ''
  for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at] as number)
  return text
}

function badHeader(what: string, line: string, data: Record<string, unknown> = {}): LlmspellError {
  return new LlmspellError(line === '' ? `bad header: ${what}` : `bad header: ${what}: ${excerpt(line)}`, {
    code: 'dap.bad_header',
    data,
    hint: 'The other side may not speak the Debug Adapter Protocol.',
  })
}

function excerpt(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
}
