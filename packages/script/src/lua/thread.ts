import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { CONTROL_BYTES, type ThreadData } from './protocol.ts'

/** A worker thread that has its code and waits to be told which namespace it is. */
export interface LuaThread {
  worker: Worker
  port: MessagePort
  control: SharedArrayBuffer
}

let early: LuaThread | undefined

/**
 * For a process that will certainly want Lua, before it loads anything else: starting a thread takes as long as loading a kernel, and
 * both can be done at once. Loads nothing of Lua in this thread.
 */
export function startLuaThreadEarly(): void {
  const thread = startThread()
  early = thread
  // Whoever takes it listens for what went wrong; until then nobody is there to be told.
  thread.worker.on('error', () => {})
  thread.worker.once('exit', () => {
    if (early === thread) early = undefined
  })
}

export function takeLuaThread(): LuaThread {
  const thread = early ?? startThread()
  early = undefined
  return thread
}

function startThread(): LuaThread {
  const { port1: port, port2 } = new MessageChannel()
  const control = new SharedArrayBuffer(CONTROL_BYTES)
  const workerData: ThreadData = { port: port2, control }
  const worker = new Worker(new URL(import.meta.resolve('@llmspell/script/lua/worker')), {
    workerData,
    transferList: [port2],
    env: {},
    execArgv: [],
    name: 'lua',
  })
  return { worker, port, control }
}
