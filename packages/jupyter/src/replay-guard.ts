/**
 * Remembers the signatures that verified, so that a recorded message does not run twice. Bounded: holds at least `size`
 * and at most twice as many, in two generations of which the older is dropped whole.
 */
export class ReplayGuard {
  readonly #size: number
  #young = new Set<string>()
  #old = new Set<string>()

  constructor(size = 65_536) {
    this.#size = size
  }

  /** False when this signature was seen before. Call only after it verified: otherwise a forger could fill the history. */
  admit(signature: string): boolean {
    if (this.#young.has(signature) || this.#old.has(signature)) return false
    this.#young.add(signature)
    if (this.#young.size >= this.#size) {
      this.#old = this.#young
      this.#young = new Set()
    }
    return true
  }
}
