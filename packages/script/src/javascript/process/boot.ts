import { MessageChannel, Worker } from 'node:worker_threads'
import { jsonFrame } from '../wire.ts'
import { keepOrderWithChildren } from './child-output.ts'
import { installConsole } from './console.ts'
import { installGlobals } from './globals.ts'
import { installTypeScriptFiles } from './modules.ts'
import { Outbox } from './outbox.ts'
import type { ScriptMessage } from './script-messages.ts'
import { ScriptThread } from './script-thread.ts'
import { type GuardData, OUT_OPEN, OUTBOX_BYTES, WORDS } from './shared.ts'
import { installStackTraces } from './stack-traces.ts'
import { installTimers } from './timers.ts'

/** Brings up both threads; called once, on the main thread of the engine process. */
export function boot(cache: string): void {
  const words = new Int32Array(new SharedArrayBuffer(WORDS * 4))
  words[OUT_OPEN] = -1
  const bytes = new Uint8Array(new SharedArrayBuffer(OUTBOX_BYTES))
  const messages = new MessageChannel()
  const sync = new MessageChannel()
  const data: GuardData = { words, outbox: bytes, script: messages.port2, sync: sync.port2 }
  const guard = new Worker(new URL('./guard-main.js', import.meta.url), {
    workerData: { ...data, cache },
    transferList: [messages.port2, sync.port2],
    env: {},
  })
  // It ends with the process; what keeps this thread's loop alive is its port, which a program that is to end lets go.
  guard.unref()
  guard.on('error', (error) => {
    ;(process as unknown as { _rawDebug(text: string): void })._rawDebug(`the guard of the engine failed: ${error.stack ?? error.message}`)
    process.kill(process.pid, 'SIGKILL')
  })
  const outbox = new Outbox({ words, outbox: bytes })
  const thread = new ScriptThread(words, outbox, messages.port1, sync.port1)
  installStackTraces()
  installTimers(thread, words)
  installConsole(thread)
  installGlobals(thread)
  installTypeScriptFiles()
  keepOrderWithChildren(thread)
  installEndings(thread)
  messages.port1.on('message', (message: ScriptMessage) => thread.onMessage(message))
}

/** Every way in which a script can end more than itself. */
function installEndings(thread: ScriptThread): void {
  // The kernel decides when this process ends, not a Ctrl-C that reaches the whole process group.
  process.on('SIGINT', () => {})
  process.on('uncaughtException', (error) => thread.onUncaught(error))
  process.on('unhandledRejection', (reason) => thread.onUncaught(reason))
  process.on('beforeExit', () => thread.onIdle())
  const internal = process as unknown as { reallyExit(code: number): never }
  const { reallyExit } = internal
  internal.reallyExit = (code) => {
    thread.outbox.frame(jsonFrame({ t: 'exit', n: thread.owner, code: code || 0 }))
    thread.outbox.drain()
    thread.disconnect()
    return reallyExit.call(process, code)
  }
}
