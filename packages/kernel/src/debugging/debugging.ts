import { LlmspellError, type Logger, messageOf } from '@llmspell/base'
import type { ContentOf, DebugReply, KernelStatusReply, StartDebugServerReply } from '@llmspell/jupyter'
import type { EngineOutput, ExecuteOutcome } from '@llmspell/script'
import type { EngineSlot } from '../execution/engine-pool.ts'
import type { Execution, Launch } from '../execution/execution.ts'
import type { RequestContext } from '../request-context.ts'
import type { KernelDebugger, KernelDebuggerParts } from './kernel-debugger.ts'
import { takeMemory, writeMemory } from './restart-memory.ts'

/** The kernel's door to its debugger, which is loaded when somebody first asks for it: until then it costs nothing. */
export class Debugging {
  readonly #parts: () => KernelDebuggerParts
  readonly #logger: Logger
  #loading: Promise<KernelDebugger> | undefined
  #debugger: KernelDebugger | undefined
  /** What the process before this one was told is being told again. */
  #recalling: Promise<void> | undefined
  #ended = false

  constructor(parts: () => KernelDebuggerParts, logger: Logger) {
    this.#parts = parts
    this.#logger = logger
  }

  /** What `kernel_status` tells; `undefined` while there is no debugger. */
  get status(): KernelStatusReply['debugger'] {
    return this.#debugger?.status
  }

  /** A debugger is attached: the kernel is not idle, whatever its scripts do. */
  get attached(): boolean {
    return (this.#debugger?.status.sessions ?? 0) > 0
  }

  isStopped(slot: EngineSlot): boolean {
    return this.#debugger?.isStopped(slot) ?? false
  }

  async request(content: ContentOf<'debug_request'>, context: RequestContext): Promise<DebugReply> {
    await this.#recalling
    return await (await this.#load()).jupyter.request(content, context)
  }

  /** A kernel manager ends this process and launches another in its place: a notebook's breakpoints stay. */
  async remember(id: string): Promise<void> {
    const told = this.#debugger?.jupyter.told ?? []
    if (told.length === 0) return
    await writeMemory(id, told).catch((error: unknown) => {
      this.#logger.log('warn', `breakpoints will not be there after the restart: ${messageOf(error)}`)
    })
  }

  /** Told to the process before this one, if there was one. */
  recall(id: string): void {
    this.#recalling = this.#recall(id)
      .catch((error: unknown) => {
        this.#logger.log('warn', `breakpoints of before the restart are lost: ${messageOf(error)}`)
      })
      .finally(() => {
        this.#recalling = undefined
      })
  }

  async #recall(id: string): Promise<void> {
    const told = await takeMemory(id)
    if (told) await (await this.#load()).jupyter.retell(told)
  }

  async startServer(content: ContentOf<'start_debug_server_request'>): Promise<StartDebugServerReply> {
    return await (await this.#load()).listener.start(content)
  }

  async stopServer(): Promise<boolean> {
    return this.#loading ? await (await this.#loading).listener.stop() : false
  }

  /** Called for each execution once its engine is ready; a promise is what its code must wait for. */
  beforeRun(slot: EngineSlot, execution: Execution): Promise<void> | undefined {
    if (this.#recalling) return this.#recalling.then(() => this.#debugger?.beforeRun(slot, execution))
    return this.#debugger?.beforeRun(slot, execution)
  }

  /** Called once all output of the execution was given. */
  afterRun(slot: EngineSlot, execution: Execution, outcome: ExecuteOutcome): void {
    this.#debugger?.afterRun(slot, execution, outcome)
  }

  /** What a script printed; a promise is what it must wait for. */
  output(slot: EngineSlot, output: EngineOutput, launch: Launch | undefined): void | Promise<void> {
    return this.#debugger?.output(slot, output, launch)
  }

  engineGone(slot: EngineSlot): void {
    this.#debugger?.engineGone(slot)
  }

  async dispose(): Promise<void> {
    this.#ended = true
    await (await this.#loading?.catch(() => undefined))?.dispose()
  }

  #load(): Promise<KernelDebugger> {
    if (this.#ended) throw new LlmspellError('the kernel has stopped', { code: 'kernel.stopped' })
    this.#loading ??= this.#make().catch((error: unknown) => {
      this.#loading = undefined
      this.#logger.log('error', `the debugger did not load: ${messageOf(error)}`)
      throw error
    })
    return this.#loading
  }

  async #make(): Promise<KernelDebugger> {
    const { KernelDebugger } = await import('./kernel-debugger.ts')
    this.#debugger = new KernelDebugger(this.#parts())
    return this.#debugger
  }
}
