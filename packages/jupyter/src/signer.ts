import { createHmac, createSecretKey, hash, type KeyObject, timingSafeEqual } from 'node:crypto'
import { LlmspellError } from '@llmspell/base'
import { type Signer, unsigned } from './wire.ts'

export type SignatureScheme = 'hmac-sha256' | 'hmac-sha512'

/** Hash name, block and digest length in bytes (RFC 2104 pads the key to a block). */
const HASHES: Record<SignatureScheme, { name: string; block: number; digest: number }> = {
  'hmac-sha256': { name: 'sha256', block: 64, digest: 32 },
  'hmac-sha512': { name: 'sha512', block: 128, digest: 64 },
}

/** Messages up to this size are hashed in two calls from one scratch buffer: half the time of a Hmac object. */
const ONE_SHOT_BYTES = 16 * 1024

/**
 * The signer of a connection. An empty key means that the connection is unsigned, as its file says.
 * Throws `wire.unknown_scheme`.
 */
export function createSigner(connection: { key: string; signature_scheme: string }): Signer {
  const { key, signature_scheme: scheme } = connection
  if (!Object.hasOwn(HASHES, scheme))
    throw new LlmspellError(`unknown signature scheme "${scheme}"`, {
      code: 'wire.unknown_scheme',
      data: { scheme },
      hint: `Use one of ${Object.keys(HASHES).join(', ')}.`,
    })
  return key === '' ? unsigned : new HmacSigner(key, scheme as SignatureScheme)
}

class HmacSigner implements Signer {
  readonly signs = true
  readonly #name: string
  readonly #key: Buffer
  /** Made for the first large message: a sixth of the time of a plain key there, and milliseconds at start. */
  #keyObject: KeyObject | undefined
  readonly #block: number
  readonly #digest: number
  /** Key XOR ipad, then room for a message. */
  readonly #inner: Buffer
  /** Key XOR opad, then room for the inner digest. */
  readonly #outer: Buffer

  constructor(key: string, scheme: SignatureScheme) {
    const { name, block, digest } = HASHES[scheme]
    this.#name = name
    this.#block = block
    this.#digest = digest
    const bytes = Buffer.from(key, 'utf8')
    this.#key = bytes
    const padded = Buffer.alloc(block)
    if (bytes.length > block) hash(name, bytes, 'buffer').copy(padded)
    else bytes.copy(padded)
    this.#inner = Buffer.alloc(block + ONE_SHOT_BYTES)
    this.#outer = Buffer.alloc(block + digest)
    for (let i = 0; i < block; i++) {
      this.#inner[i] = (padded[i] as number) ^ 0x36
      this.#outer[i] = (padded[i] as number) ^ 0x5c
    }
  }

  sign(header: Uint8Array, parent: Uint8Array, metadata: Uint8Array, content: Uint8Array): Uint8Array {
    return Buffer.from(this.#hex(header, parent, metadata, content), 'latin1')
  }

  verify(signature: Uint8Array, header: Uint8Array, parent: Uint8Array, metadata: Uint8Array, content: Uint8Array): boolean {
    if (signature.length !== this.#digest * 2) return false
    return timingSafeEqual(signature, Buffer.from(this.#hex(header, parent, metadata, content), 'latin1'))
  }

  #hex(header: Uint8Array, parent: Uint8Array, metadata: Uint8Array, content: Uint8Array): string {
    const size = header.length + parent.length + metadata.length + content.length
    if (size > ONE_SHOT_BYTES) {
      this.#keyObject ??= createSecretKey(this.#key)
      return createHmac(this.#name, this.#keyObject).update(header).update(parent).update(metadata).update(content).digest('hex')
    }
    const inner = this.#inner
    let at = this.#block
    inner.set(header, at)
    at += header.length
    inner.set(parent, at)
    at += parent.length
    inner.set(metadata, at)
    at += metadata.length
    inner.set(content, at)
    at += content.length
    this.#outer.write(hash(this.#name, inner.subarray(0, at), 'binary'), this.#block, 'latin1')
    return hash(this.#name, this.#outer, 'hex')
  }
}
