/** Hexadecimal digits kept of a signature: 96 bits tell any two apart, and the history lives as long as its kernel. */
const KEY_LENGTH = 24

/**
 * Remembers the signatures that verified, so that a recorded message does not run twice. Bounded: holds at least `size`
 * and at most twice as many, in two generations of which the older is dropped whole.
 */
export class ReplayGuard {
  readonly #size: number
  #young = new Set<string>()
  #old = new Set<string>()

  constructor(size: number) {
    this.#size = size
  }

  /** False when this signature was seen before. Call only after it verified: otherwise a forger could fill the history. */
  admit(signature: Uint8Array): boolean {
    const key = String.fromCharCode(...signature.subarray(0, KEY_LENGTH))
    if (this.#young.has(key) || this.#old.has(key)) return false
    this.#young.add(key)
    if (this.#young.size >= this.#size) {
      this.#old = this.#young
      this.#young = new Set()
    }
    return true
  }
}
