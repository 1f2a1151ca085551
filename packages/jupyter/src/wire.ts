import { LlmspellError, messageOf } from '@llmspell/base'
import { bytesEqual, utf8Decode, utf8Encode } from './bytes.ts'
import type { Channel, Header, Message } from './message.ts'
import { ReplayGuard } from './replay-guard.ts'

/** Signs and verifies the four JSON parts of a message. `@llmspell/jupyter/signer` makes one for a connection. */
export interface Signer {
  /** The signature frame: lower-case hexadecimal, or nothing when the connection is unsigned. */
  sign(header: Uint8Array, parent: Uint8Array, metadata: Uint8Array, content: Uint8Array): Uint8Array
  /** In constant time, over the bytes as received. */
  verify(signature: Uint8Array, header: Uint8Array, parent: Uint8Array, metadata: Uint8Array, content: Uint8Array): boolean
  /** False when the connection has no key: then nothing is verified and replays cannot be told. */
  readonly signs: boolean
}

/** For connections whose key is empty, and for carriers that authenticate by other means. */
export const unsigned: Signer = {
  sign: () => EMPTY,
  verify: () => true,
  signs: false,
}

export interface WireOptions {
  signer: Signer
  /** Bytes of the four JSON parts together; default 64 MiB. */
  maxJsonBytes?: number
  /** Signatures remembered against replays; default 32,768; 0 for an end that only receives answers. */
  replayHistory?: number
}

/** A message and the routing frames that came before its delimiter. */
export interface Decoded {
  identities: Uint8Array[]
  message: Message
}

export type WireErrorCode =
  | 'wire.no_delimiter'
  | 'wire.too_few_parts'
  | 'wire.unsigned'
  | 'wire.bad_signature'
  | 'wire.replayed'
  | 'wire.too_large'
  | 'wire.bad_json'
  | 'wire.bad_header'
  | 'wire.bad_shape'
  | 'wire.bad_frame'
  | 'wire.unencodable'

const DELIMITER = '<IDS|MSG>'
const DELIMITER_FRAME = utf8Encode(DELIMITER)
const EMPTY = new Uint8Array(0)
const EMPTY_OBJECT = utf8Encode('{}')
const MIB = 1024 * 1024

/**
 * Frames to messages and back, for one connection and one direction of trust.
 * https://jupyter-client.readthedocs.io/en/stable/messaging.html#the-wire-protocol
 */
export class WireCodec {
  readonly #signer: Signer
  readonly #maxJsonBytes: number
  readonly #replays: ReplayGuard | undefined
  /** Headers are encoded once: one request is the parent of all its outputs. */
  readonly #encodedHeaders = new WeakMap<object, Uint8Array>()
  #lastParentBytes: Uint8Array = EMPTY
  #lastParent: unknown

  constructor(options: WireOptions) {
    this.#signer = options.signer
    this.#maxJsonBytes = options.maxJsonBytes ?? 64 * MIB
    const history = options.replayHistory ?? 32_768
    this.#replays = options.signer.signs && history > 0 ? new ReplayGuard(history) : undefined
  }

  /** Delimiter, signature, the four JSON parts, buffers. The carrier puts its routing frames in front. */
  encode(message: Message<object>): Uint8Array[] {
    const header = utf8Encode(JSON.stringify(message.header))
    const parent = this.#encodeParent(message.parent_header)
    const metadata = encodeObject(message.metadata)
    const content = utf8Encode(JSON.stringify(message.content))
    const signature = this.#signer.sign(header, parent, metadata, content)
    if (message.buffers.length === 0) return [DELIMITER_FRAME, signature, header, parent, metadata, content]
    return [DELIMITER_FRAME, signature, header, parent, metadata, content, ...message.buffers]
  }

  /**
   * Like {@link encode}, for ends that must not throw: what JSON cannot hold (a BigInt, a cycle, a text beyond the engine's
   * limit) makes a reply of status error, and `undefined` for anything else. `onFailure` is told.
   */
  tryEncode(message: Message<object>, onFailure: (error: LlmspellError) => void): Uint8Array[] | undefined {
    try {
      return this.encode(message)
    } catch (cause) {
      const type = message.header.msg_type
      const error = wireError('wire.unencodable', `${type} cannot be sent: ${messageOf(cause)}`, { msg_type: type }, cause)
      onFailure(error)
      if (!type.endsWith('_reply')) return undefined
      const content = { status: 'error', ename: error.code, evalue: error.message, traceback: [] }
      return this.encode({ ...message, metadata: {}, content, buffers: [] })
    }
  }

  /**
   * The only place where received frames become a message. In this order: delimiter, number of parts, signature over the
   * received bytes, replay, and only then size, JSON and its shape.
   * Throws a LlmspellError with a {@link WireErrorCode}, which {@link answerableRequest} may still name the asker of; contents of unknown types pass, contents of known ones are checked
   * by `parseContent`, so that a request with bad content can still be answered.
   */
  decode(frames: readonly Uint8Array[], channel: Channel): Decoded {
    const at = frames.findIndex((frame) => frame.length === DELIMITER_FRAME.length && bytesEqual(frame, DELIMITER_FRAME))
    if (at < 0) throw wireError('wire.no_delimiter', `no ${DELIMITER} among ${frames.length} frames`)
    const signature = frames[at + 1]
    const header = frames[at + 2]
    const parent = frames[at + 3]
    const metadata = frames[at + 4]
    const content = frames[at + 5]
    if (!signature || !header || !parent || !metadata || !content)
      throw wireError('wire.too_few_parts', `a message has at least 5 parts after its delimiter, this one has ${frames.length - at - 1}`)

    if (this.#signer.signs) {
      if (signature.length === 0) throw wireError('wire.unsigned', 'message without signature on a signed connection')
      if (!this.#signer.verify(signature, header, parent, metadata, content))
        throw wireError('wire.bad_signature', 'message whose signature does not match: wrong key, or changed on the way')
      if (this.#replays && !this.#replays.admit(signature)) throw wireError('wire.replayed', 'message that was received before')
    }

    const identities = frames.slice(0, at)
    const checkedHeader = checkHeader(checkObject(parseJson(header, 'header'), 'header'))
    try {
      const size = header.length + parent.length + metadata.length + content.length
      if (size > this.#maxJsonBytes)
        throw wireError('wire.too_large', `message of ${size} bytes; at most ${this.#maxJsonBytes} are accepted`, { size })
      const message: Message = {
        channel,
        header: checkedHeader,
        parent_header: checkParent(this.#decodeParent(parent)),
        metadata: checkObject(parseJson(metadata, 'metadata'), 'metadata'),
        content: checkObject(parseJson(content, 'content'), 'content'),
        buffers: frames.length > at + 6 ? frames.slice(at + 6) : NO_BUFFERS,
      }
      return { identities, message }
    } catch (error) {
      throw answerable(error as LlmspellError, { identities, header: checkedHeader })
    }
  }

  /** All output of a request has the same parent, byte for byte. */
  #decodeParent(bytes: Uint8Array): unknown {
    if (bytes.length <= 4) return parseJson(bytes, 'parent_header')
    if (!bytesEqual(bytes, this.#lastParentBytes)) {
      this.#lastParent = parseJson(bytes, 'parent_header')
      this.#lastParentBytes = bytes
    }
    return this.#lastParent
  }

  #encodeParent(parent: Message['parent_header']): Uint8Array {
    if (parent.msg_id === undefined) return EMPTY_OBJECT
    let encoded = this.#encodedHeaders.get(parent)
    if (!encoded) {
      encoded = utf8Encode(JSON.stringify(parent))
      this.#encodedHeaders.set(parent, encoded)
    }
    return encoded
  }
}

/** Who asked what, of a request that was authentic but cannot be read or is too large. */
export interface AnswerableRequest {
  identities: Uint8Array[]
  header: Header
}

/** From an error of {@link WireCodec.decode}: set when the message verified and its header is good, so that it deserves an answer. */
export function answerableRequest(error: unknown): AnswerableRequest | undefined {
  return LlmspellError.is(error) ? (error.data['request'] as AnswerableRequest | undefined) : undefined
}

function answerable(error: LlmspellError, request: AnswerableRequest): LlmspellError {
  return new LlmspellError(error.message, { code: error.code, data: { ...error.data, request }, cause: error.cause })
}

const NO_BUFFERS: readonly Uint8Array[] = []

function encodeObject(value: object): Uint8Array {
  for (const _ in value) return utf8Encode(JSON.stringify(value))
  return EMPTY_OBJECT
}

type JsonPart = 'header' | 'parent_header' | 'metadata' | 'content'

function parseJson(bytes: Uint8Array, part: JsonPart): unknown {
  if (bytes.length === 2 && bytes[0] === 0x7b && bytes[1] === 0x7d) return {}
  try {
    return JSON.parse(utf8Decode(bytes))
  } catch (cause) {
    throw wireError('wire.bad_json', `${part} is not JSON`, { part }, cause)
  }
}

/** The parsed parts as a message. Throws `wire.bad_header` and `wire.bad_shape`. */
export function asMessage(
  channel: Channel,
  header: unknown,
  parent: unknown,
  metadata: unknown,
  content: unknown,
  buffers: readonly Uint8Array[],
): Message {
  return {
    channel,
    header: checkHeader(checkObject(header, 'header')),
    parent_header: checkParent(parent),
    metadata: checkObject(metadata, 'metadata'),
    content: checkObject(content, 'content'),
    buffers,
  }
}

function checkObject(value: unknown, part: JsonPart): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wireError('wire.bad_shape', `${part} is ${nameOf(value)}, not an object`, { part })
  return value as Record<string, unknown>
}

/** Some clients write null for "no parent". */
function checkParent(value: unknown): Message['parent_header'] {
  if (value === null) return {}
  const parent = checkObject(value, 'parent_header')
  for (const _ in parent) return checkHeader(parent, 'parent_header')
  return {}
}

/** Fields that old or simple clients leave out (`version`, `date`, `username`) get defaults; a header's own id and type must be there. */
function checkHeader(header: Record<string, unknown>, part: 'header' | 'parent_header' = 'header'): Header {
  for (const field of ['msg_id', 'msg_type'] as const) {
    const value = header[field]
    // Some kernels give only part of the parent's header back.
    if (value === undefined && part === 'parent_header') header[field] = ''
    else if (typeof value !== 'string' || value === '')
      throw wireError('wire.bad_header', `${part}.${field} is ${nameOf(value)}, not a string`, { part, field })
  }
  for (const field of ['session', 'username', 'date', 'version'] as const) {
    const value = header[field]
    if (value === undefined || value === null) header[field] = ''
    else if (typeof value !== 'string')
      throw wireError('wire.bad_header', `${part}.${field} is ${nameOf(value)}, not a string`, { part, field })
  }
  const subshell = header['subshell_id']
  if (subshell !== undefined && subshell !== null && typeof subshell !== 'string')
    throw wireError('wire.bad_header', `${part}.subshell_id is ${nameOf(subshell)}, not a string`, { part, field: 'subshell_id' })
  return header as unknown as Header
}

function nameOf(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null) return 'null'
  if (value === '') return 'empty'
  if (Array.isArray(value)) return 'an array'
  return `a ${typeof value}`
}

function wireError(code: WireErrorCode, message: string, data: Record<string, unknown> = {}, cause?: unknown): LlmspellError {
  return new LlmspellError(message, { code, data, cause })
}
