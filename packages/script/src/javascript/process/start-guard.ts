import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { type GuardData, OUT_OPEN, OUTBOX_BYTES, type SharedState, WORDS } from './shared.ts'

/** The script thread's side of the guard. */
export interface GuardLink extends SharedState {
  messages: MessagePort
  replies: MessagePort
}

/** Starts the guard thread. */
export function startGuard(cache: string): GuardLink {
  const words = new Int32Array(new SharedArrayBuffer(WORDS * 4))
  words[OUT_OPEN] = -1
  const outbox = new Uint8Array(new SharedArrayBuffer(OUTBOX_BYTES))
  const messages = new MessageChannel()
  const replies = new MessageChannel()
  const data: GuardData = { words, outbox, script: messages.port2, sync: replies.port2, cache }
  const guard = new Worker(new URL('./guard-main.js', import.meta.url), {
    workerData: data,
    transferList: [messages.port2, replies.port2],
    env: {},
    trackUnmanagedFds: false,
  })
  // It ends with the process; what keeps the script thread's loop alive is its port, which a program that is to end lets go.
  guard.unref()
  guard.on('error', (error) => {
    ;(process as unknown as { _rawDebug(text: string): void })._rawDebug(`the guard of the engine failed: ${error.stack ?? error.message}`)
    process.kill(process.pid, 'SIGKILL')
  })
  return { words, outbox, messages: messages.port1, replies: replies.port1 }
}
