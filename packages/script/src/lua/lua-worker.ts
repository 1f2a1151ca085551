import { type MessagePort, receiveMessageOnPort, type Worker } from 'node:worker_threads'
import { compileLua, LuaControl, type LuaModule } from '@llmspell/lua'
import type { ModuleDescription } from '../catalogue/catalogue.ts'
import type { EngineOptions } from '../engine.ts'
import { CONTROL, type FromWorker, type NamespaceOptions, REASON, type ToWorker, type WireError } from './protocol.ts'
import { takeLuaThread } from './thread.ts'

const DEFAULT_MEMORY_LIMIT = 1024 ** 3
const DEFAULT_HISTORY_LIMIT = 256 * 1024 ** 2

/** A worker that does not end within this time after it was told to never will. */
const ABANDON_AFTER_MS = 3_000

/** Why a worker is no more. */
export interface WorkerEnd {
  ename: 'EngineCrashed' | 'OutOfMemory' | 'Interrupted'
  evalue: string
}

export interface WorkerEvents {
  message(message: FromWorker): void
  /** Once, after the last message. */
  end(end: WorkerEnd): void
}

/** One worker thread with its channels: a port for messages, a control block to wake it, and the words that its VM shares. */
export class LuaWorker {
  /** Rejects when the worker ends before it is ready. */
  readonly ready: Promise<void>
  readonly #worker: Worker
  readonly #port: MessagePort
  readonly #control: Int32Array
  readonly #exited: Promise<void>
  #vm: LuaControl | undefined
  #wasReady = false
  #end: WorkerEnd | undefined
  #finish: () => void

  constructor(catalogue: readonly ModuleDescription[], options: EngineOptions, events: WorkerEvents) {
    const { worker, port, control } = takeLuaThread()
    this.#worker = worker
    this.#port = port
    this.#control = new Int32Array(control)
    const { promise: ready, resolve: setReady, reject: neverReady } = Promise.withResolvers<void>()
    const { promise: exited, resolve: setExited } = Promise.withResolvers<void>()
    this.ready = ready
    this.#exited = exited
    const receive = (message: FromWorker): void => {
      if (message.type === 'ready') {
        this.#vm = new LuaControl(message.memory, message.controlAddress)
        this.#wasReady = true
        setReady()
      }
      events.message(message)
    }
    port.on('message', receive)
    this.#worker.on('error', (error) => {
      this.#end ??= endOf(error)
    })
    this.#finish = () => {
      this.#finish = () => {}
      for (let left = receiveMessageOnPort(port); left; left = receiveMessageOnPort(port)) receive(left.message as FromWorker)
      port.close()
      const end = this.#end ?? { ename: 'EngineCrashed', evalue: 'the Lua engine ended unexpectedly' }
      neverReady(new Error(end.evalue))
      this.#vm = undefined
      events.end(end)
      setExited()
    }
    this.#worker.on('exit', () => this.#finish())
    const namespace: NamespaceOptions = {
      module: compiledLua(),
      memoryLimit: options.memoryLimit ?? DEFAULT_MEMORY_LIMIT,
      cwd: options.cwd,
      env: options.env,
      catalogue,
      historyLimit: options.historyLimit ?? DEFAULT_HISTORY_LIMIT,
      warmUp: claimWarmUp(),
    }
    port.postMessage(namespace)
    this.#wake()
  }

  /** It has been able to run code. */
  get wasReady(): boolean {
    return this.#wasReady
  }

  get usedBytes(): number | undefined {
    return this.#vm?.used
  }

  post(message: ToWorker): void {
    this.#port.postMessage(message)
    this.#wake()
  }

  reply(call: number, value: unknown): void {
    try {
      this.post({ type: 'reply', call, value })
    } catch (error) {
      this.refuse(call, { message: `the result cannot be given to the script: ${String(error)}` })
    }
  }

  refuse(call: number, error: WireError): void {
    this.post({ type: 'reply', call, error })
  }

  /** Makes running code look up at its next safe point. */
  raise(reason: number): void {
    Atomics.or(this.#control, CONTROL.REASONS, reason)
    this.#vm?.attention()
    this.#wake()
  }

  taken(size: number): void {
    Atomics.add(this.#control, CONTROL.TAKEN, size)
    this.#wake()
  }

  /** Asks for output that waits in the worker; if there is none, for the next line as soon as there is one. */
  fetchOutput(): void {
    if (this.#vm?.outputPending || Atomics.load(this.#control, CONTROL.OUTPUT_PENDING) !== 0) this.raise(REASON.FLUSH)
    else this.#vm?.flushNextLine()
  }

  interrupt(run: number): void {
    Atomics.store(this.#control, CONTROL.INTERRUPTED_RUN, run)
    this.raise(REASON.INTERRUPT)
  }

  interruptHard(run: number): void {
    Atomics.store(this.#control, CONTROL.INTERRUPTED_RUN, run)
    Atomics.store(this.#control, CONTROL.FORCED_RUN, run)
    Atomics.or(this.#control, CONTROL.REASONS, REASON.INTERRUPT)
    this.#vm?.interruptHard()
    this.#wake()
  }

  /**
   * Ends the thread whatever it does; resolves when it is gone. A thread that the operating system holds in a call, such as the
   * opening of a pipe that nobody writes to, cannot be ended: it is left behind, and ends with that call.
   */
  async terminate(end: WorkerEnd): Promise<void> {
    this.#end ??= end
    void this.#worker.terminate()
    const abandon = setTimeout(() => {
      this.#worker.unref()
      this.#finish()
    }, ABANDON_AFTER_MS)
    await this.#exited
    clearTimeout(abandon)
  }

  #wake(): void {
    Atomics.add(this.#control, CONTROL.WAKE, 1)
    Atomics.notify(this.#control, CONTROL.WAKE)
  }
}

/** Compiled once, shared by all workers of the process. */
function compiledLua(): LuaModule {
  compiled ??= compileLua()
  return compiled
}

let compiled: LuaModule | undefined

/** True for one worker: it makes V8 optimise the code that all share. */
function claimWarmUp(): boolean {
  const claimed = !isWarm
  isWarm = true
  return claimed
}

let isWarm = false

function endOf(error: unknown): WorkerEnd {
  const { code, message } = error as { code?: string; message?: string }
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') return { ename: 'OutOfMemory', evalue: 'the Lua engine ran out of memory' }
  return { ename: 'EngineCrashed', evalue: `the Lua engine crashed: ${message ?? String(error)}` }
}
