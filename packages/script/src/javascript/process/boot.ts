import { jsonFrame } from '../wire.ts'
import { keepOrderWithChildren } from './child-output.ts'
import { installConsole } from './console.ts'
import { installDebugHook } from './debug-hook.ts'
import { installGlobals } from './globals.ts'
import { installTypeScriptFiles } from './modules.ts'
import { Outbox } from './outbox.ts'
import type { ScriptMessage } from './script-messages.ts'
import { ScriptThread } from './script-thread.ts'
import { installStackTraces } from './stack-traces.ts'
import type { GuardLink } from './start-guard.ts'
import { installTimers } from './timers.ts'

/** Brings up the script thread; called once, on the main thread of the engine process. */
export function boot({ words, outbox: bytes, messages, replies }: GuardLink): void {
  const outbox = new Outbox({ words, outbox: bytes })
  const thread = new ScriptThread(words, outbox, messages, replies)
  installStackTraces()
  installTimers(thread, words)
  installConsole(thread)
  installGlobals(thread)
  installTypeScriptFiles()
  installDebugHook()
  keepOrderWithChildren(thread)
  installEndings(thread)
  messages.on('message', (message: ScriptMessage) => thread.onMessage(message))
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
