import type { MessagePort } from 'node:worker_threads'

/** What the script thread and the guard share: words for locks and signals, and the bytes on their way to the kernel. */
export interface SharedState {
  words: Int32Array
  outbox: Uint8Array
}

/** What the guard gets when it starts. */
export interface GuardData extends SharedState {
  /** Messages for the script thread. */
  script: MessagePort
  /** Replies for a script thread that is blocked on them. */
  sync: MessagePort
  /** Directory of the compile cache, or ''. */
  cache: string
}

/** Held while engine code must not be terminated; the guard holds it while a termination is on its way. */
export const LOCK = 0
/** Number of the last interrupt that the script thread has dealt with. */
export const INTERRUPT_ACK = 1
/** Counts the sync replies posted. */
export const SYNC_BELL = 2
/** Bytes of the outbox that are waiting: from, to. */
export const OUT_START = 3
export const OUT_END = 4
/** Where the frame header starts to which more text of the same execution and stream may be added; -1: none. */
export const OUT_OPEN = 5
/** Sequence of the last message from the guard that the script thread has taken. */
export const TAKEN = 6
/** Number of the running execution, 0 when none. */
export const RUNNING = 7
/** 1 while a stubborn loop is being stopped: callbacks are not scheduled any more. */
export const PURGE = 8
/** Never notified; slept on. */
export const SLEEP = 9
/** Set by the script thread when output waits for the guard's timer. */
export const OUT_WAITING = 10

/** 1 when the guard has let go of the script thread's debugger. */
export const DISCONNECTED = 11
/** Bytes written to the kernel on the script's lane, modulo 2^32. */
export const OUT_WRITTEN = 12
/** 1 while a debugger wants to see errors of host calls. */
export const WATCH_CALLS = 13

export const WORDS = 16
export const OUTBOX_BYTES: number = 128 * 1024

/** May block: for microseconds when the guard writes, until it is terminated when an interrupt is on its way. */
export function lock(words: Int32Array): void {
  while (Atomics.compareExchange(words, LOCK, 0, 1) !== 0) Atomics.wait(words, LOCK, 1, 100)
}

export function tryLock(words: Int32Array): boolean {
  return Atomics.compareExchange(words, LOCK, 0, 1) === 0
}

export function unlock(words: Int32Array): void {
  Atomics.store(words, LOCK, 0)
  Atomics.notify(words, LOCK)
}
