import { codeOf, deferred } from '@llmspell/base'
import type { Frames } from '../sockets.ts'

/** The part of a ZeroMQ socket a queue needs. */
interface Writable {
  send(frames: Uint8Array[]): Promise<void>
  readonly closed: boolean
}

/**
 * One queue per socket: the addon refuses a second send while one is on its way, and rejects with EAGAIN when a
 * subscriber's pipe is full. Order is kept; a full pipe is tried again until it empties or its peer is disconnected.
 */
export class SendQueue {
  readonly #socket: Writable
  readonly #onError: (error: unknown) => void
  #items: Frames[] = []
  #head = 0
  #sending = false
  #backlog = 0
  #idle = deferred()

  constructor(socket: Writable, onError: (error: unknown) => void) {
    this.#socket = socket
    this.#onError = onError
    this.#idle.resolve()
  }

  get backlog(): number {
    return this.#backlog
  }

  get idle(): Promise<void> {
    return this.#idle.promise
  }

  push(frames: Frames): void {
    if (this.#socket.closed) return
    this.#items.push(frames)
    this.#backlog += sizeOf(frames)
    if (this.#sending) return
    this.#sending = true
    this.#idle = deferred()
    void this.#drain()
  }

  async #drain(): Promise<void> {
    while (this.#head < this.#items.length && !this.#socket.closed) {
      const frames = this.#items[this.#head++] as Frames
      await this.#send(frames as Uint8Array[])
      this.#backlog -= sizeOf(frames)
    }
    this.#items = []
    this.#head = 0
    this.#backlog = 0
    this.#sending = false
    this.#idle.resolve()
  }

  async #send(frames: Uint8Array[]): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#socket.send(frames)
      } catch (error) {
        if (this.#socket.closed) return
        const code = codeOf(error)
        if (code !== 'EAGAIN' && code !== 'EBUSY') return this.#onError(error)
        await new Promise((resolve) => setTimeout(resolve, Math.min(20, attempt)))
      }
    }
  }
}

function sizeOf(frames: Frames): number {
  let size = 0
  for (const frame of frames) size += frame.length
  return size
}
