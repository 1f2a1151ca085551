import fs from 'node:fs'
import { FRAME_HEADER, SCRIPT_FD, STDERR_FRAME, STDOUT_FRAME } from '../wire.ts'
import {
  lock,
  OUT_END,
  OUT_OPEN,
  OUT_START,
  OUT_WAITING,
  OUT_WRITTEN,
  OUTBOX_BYTES,
  RUNNING,
  type SharedState,
  SLEEP,
  tryLock,
  unlock,
} from './shared.ts'

/** Those of Node: scripts may replace them, and the engine does. */
const write = fs.writeSync
const { setTimeout } = globalThis

/** Text is cut to frames of at most this many UTF-16 units (three bytes each at most). */
const TEXT_PIECE = 20 * 1024
/** A frame of text is not longer. */
const FRAME_BYTES = 64 * 1024
/** A batch is written when it has grown to this, at the end of a turn of the event loop, or after 20 ms by the guard. */
const BATCH_BYTES = 64 * 1024

/**
 * The way from the script thread to the kernel. Bytes are put together in shared memory, so that the guard can write them when the
 * script is busy. All of it happens under the lock that keeps terminations away: a frame is never half-written, whatever
 * is interrupted.
 */
export class Outbox {
  readonly #shared: SharedState
  readonly #bytes: Buffer
  /** Frames that did not fit, in order; the first one may be partly moved. */
  #queue: Uint8Array[] = []
  #queued = 0
  #openCell = 0
  #openKind = 0
  #pumping = false

  constructor(shared: SharedState) {
    this.#shared = shared
    this.#bytes = Buffer.from(shared.outbox.buffer as ArrayBuffer)
  }

  /** Text of a stream. Waits while the kernel does not take it; an interrupt ends that wait. */
  text(cell: number, stream: 'stdout' | 'stderr', text: string): void {
    const kind = stream === 'stdout' ? STDOUT_FRAME : STDERR_FRAME
    if (text === '') return
    if (text.length <= TEXT_PIECE) return this.#piece(cell, kind, text)
    for (let at = 0; at < text.length; ) {
      let end = Math.min(at + TEXT_PIECE, text.length)
      if (end < text.length && isHighSurrogate(text.charCodeAt(end - 1))) end--
      this.#piece(cell, kind, text.slice(at, end))
      at = end
    }
  }

  #piece(cell: number, kind: number, text: string): void {
    const { words } = this.#shared
    const most = text.length * 3 + FRAME_HEADER + 4
    for (;;) {
      lock(words)
      let end = words[OUT_END] as number
      if (this.#queued === 0 && OUTBOX_BYTES - end >= most) {
        let open = words[OUT_OPEN] as number
        if (open < 0 || this.#openCell !== cell || this.#openKind !== kind || end - open + most > FRAME_BYTES) {
          open = end
          this.#bytes[open + 4] = kind
          this.#bytes.writeUInt32LE(cell, open + FRAME_HEADER)
          end += FRAME_HEADER + 4
          words[OUT_OPEN] = open
          this.#openCell = cell
          this.#openKind = kind
        }
        end += this.#bytes.write(text, end, 'utf8')
        this.#bytes.writeUInt32LE(end - open - FRAME_HEADER, open)
        words[OUT_END] = end
        const full = end - (words[OUT_START] as number) >= BATCH_BYTES
        const first = words[OUT_WAITING] === 0
        words[OUT_WAITING] = 1
        if (full) flushLocked(this.#shared)
        unlock(words)
        // While code runs the guard looks by itself.
        if (first && words[RUNNING] === 0) Atomics.notify(words, OUT_WAITING)
        return
      }
      this.#moveLocked()
      unlock(words)
      if (this.#queued > 0 || OUTBOX_BYTES - (words[OUT_END] as number) < most) Atomics.wait(words, SLEEP, 0, 0.2)
    }
  }

  /** A message of running code. Waits like `text` when it is large and the kernel is slow. */
  frame(frame: Uint8Array): void {
    const { words } = this.#shared
    lock(words)
    this.frameLocked(frame)
    unlock(words)
    while (this.#queued > 0) this.#wait()
  }

  /** Like `frame`, for a caller that holds the lock. Never waits: what does not fit is written from the event loop. */
  frameLocked(frame: Uint8Array): void {
    const { words } = this.#shared
    const end = words[OUT_END] as number
    words[OUT_OPEN] = -1
    if (this.#queued === 0 && OUTBOX_BYTES - end >= frame.length) {
      this.#bytes.set(frame, end)
      words[OUT_END] = end + frame.length
      flushLocked(this.#shared)
      words[OUT_WAITING] = (words[OUT_END] as number) > 0 ? 1 : 0
      return
    }
    this.#queue.push(frame)
    this.#queued += frame.length
    this.#moveLocked()
    if (this.#queued > 0) this.#pump()
  }

  /** Writes what is there, as far as the kernel takes it. */
  flush(): void {
    const { words } = this.#shared
    if (words[OUT_END] === 0 && this.#queued === 0) return
    lock(words)
    this.#moveLocked()
    unlock(words)
  }

  /** Writes everything, however long the kernel takes: for the last words of the process. */
  drain(): void {
    this.flush()
    while (this.#shared.words[OUT_END] !== 0 || this.#queued > 0) this.#wait()
  }

  #wait(): void {
    Atomics.wait(this.#shared.words, SLEEP, 0, 0.2)
    this.flush()
  }

  #moveLocked(): void {
    const { words } = this.#shared
    for (;;) {
      const flushed = flushLocked(this.#shared)
      const head = this.#queue[0]
      if (!head) break
      const end = words[OUT_END] as number
      const size = Math.min(head.length, OUTBOX_BYTES - end)
      if (size > 0) {
        this.#bytes.set(head.subarray(0, size), end)
        words[OUT_END] = end + size
        this.#queued -= size
        if (size === head.length) this.#queue.shift()
        else this.#queue[0] = head.subarray(size)
      }
      if (!flushed) break
    }
    words[OUT_WAITING] = (words[OUT_END] as number) > 0 ? 1 : 0
  }

  #pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    setTimeout(() => {
      this.#pumping = false
      this.flush()
      if (this.#queued > 0) this.#pump()
    }, 1)
  }
}

/** Writes the waiting bytes as far as the kernel takes them; true when all are gone. The caller holds the lock. */
function flushLocked(shared: SharedState): boolean {
  const { words, outbox } = shared
  let start = words[OUT_START] as number
  const end = words[OUT_END] as number
  words[OUT_OPEN] = -1
  while (start < end) {
    try {
      start += write(SCRIPT_FD, outbox, start, end - start)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EINTR') continue
      // EAGAIN: the kernel is slow. Anything else: it is gone, and the guard is about to end this process.
      break
    }
  }
  words[OUT_WRITTEN] = ((words[OUT_WRITTEN] as number) + start - (words[OUT_START] as number)) | 0
  if (start === end) {
    words[OUT_START] = 0
    words[OUT_END] = 0
    return true
  }
  if (start > 0) {
    outbox.copyWithin(0, start, end)
    words[OUT_END] = end - start
    words[OUT_START] = 0
  }
  return false
}

/** The guard's turn: writes what a busy script has left. True when nothing is left. */
export function flushFromGuard(shared: SharedState): boolean {
  if (!tryLock(shared.words)) return false
  const done = flushLocked(shared)
  if (done) shared.words[OUT_WAITING] = 0
  unlock(shared.words)
  return done
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00
}
