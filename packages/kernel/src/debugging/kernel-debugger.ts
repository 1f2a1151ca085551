import type { Clock, Disposable, Logger } from '@llmspell/base'
import { DebugCoordinator, type DebuggedEngine } from '@llmspell/debug'
import type { CellNaming } from '@llmspell/debug/cells'
import type { KernelStatusReply } from '@llmspell/jupyter'
import type { EngineOutput, ExecuteOutcome, Language } from '@llmspell/script'
import type { EnginePool, EngineSlot } from '../execution/engine-pool.ts'
import type { Execution, Launch } from '../execution/execution.ts'
import type { Executor } from '../execution/executor.ts'
import type { Publisher } from '../iopub/publisher.ts'
import type { Envelope } from '../routing/envelope.ts'
import { CellFiles } from './cell-files.ts'
import { DapConnection } from './dap-connection.ts'
import { DapListener } from './dap-listener.ts'
import { debugHost, exitCodeOf } from './debug-host.ts'
import { JupyterDebugger } from './jupyter-debugger.ts'

export interface KernelDebuggerParts {
  pool: EnginePool
  executor: Executor
  publisher: Publisher
  cells: CellNaming
  /** Environment of scripts. */
  env: Readonly<Record<string, string>>
  /** Where the unix socket of the listener goes, in a directory of the user alone that this makes; `undefined`: there is none. */
  socketPath: (() => string) | undefined
  /** Milliseconds that a script may stand still while no Jupyter front end asks anything; 0 for ever. */
  patience: number
  ownRequest(content: Record<string, unknown>, metadata: Record<string, unknown>): Envelope
  flushOutput(): void
  restart(): Promise<void>
  clock: Clock
  logger: Logger
  /** Log every message of every debugger (`LLMSPELL_TRACE=dap`). */
  trace: boolean
}

const NAMES: Readonly<Record<Language, string>> = { lua: 'Lua', javascript: 'JavaScript', typescript: 'TypeScript' }

/** Joins the kernel's engines to the debug sessions, and the sessions to those who debug. */
export class KernelDebugger {
  readonly jupyter: JupyterDebugger
  readonly listener: DapListener
  readonly #parts: KernelDebuggerParts
  readonly #coordinator: DebugCoordinator
  readonly #files: CellFiles
  readonly #engines = new Map<EngineSlot, { engine: DebuggedEngine; added: Disposable }>()
  readonly #connections = new Set<DapConnection>()

  constructor(parts: KernelDebuggerParts) {
    this.#parts = parts
    const { executor, pool, publisher, clock, logger } = parts
    this.#files = new CellFiles(parts.cells)
    this.#coordinator = new DebugCoordinator(
      debugHost({
        ...parts,
        files: this.#files,
        engineOf: (slot) => this.#engineOf(slot),
      }),
      { logger, clock },
    )
    this.jupyter = new JupyterDebugger({
      coordinator: this.#coordinator,
      publisher,
      onStopped: () => this.#onStopped(),
      patience: parts.patience,
      clock,
      trace: this.#tracer('jupyter'),
    })
    this.listener = new DapListener({
      socketPath: parts.socketPath,
      accept: (socket, isToken) => {
        const connection = new DapConnection(socket, isToken, {
          coordinator: this.#coordinator,
          onStopped: () => this.#onStopped(),
          clock,
          logger,
          trace: this.#tracer('dap'),
        })
        this.#connections.add(connection)
        socket.once('close', () => this.#connections.delete(connection))
        return connection
      },
      clock,
      logger,
    })
    for (const slot of pool.slots) if (slot.namespace !== 'spare' && !slot.discarded) this.#engineOf(slot, executor.runningIn(slot))
    for (const slot of this.#engines.keys()) this.#started(slot, executor.runningIn(slot))
  }

  get status(): NonNullable<KernelStatusReply['debugger']> {
    const stopped = [...this.#engines.keys()].filter((slot) => this.isStopped(slot)).length
    return { sessions: this.#coordinator.attachedSessions, stopped }
  }

  isStopped(slot: EngineSlot): boolean {
    return this.#coordinator.isStopped(slot.id)
  }

  async beforeRun(slot: EngineSlot, execution: Execution): Promise<void> {
    const engine = this.#engineOf(slot, execution)
    if (execution.debugSource !== undefined) this.#files.remember(execution.debugSource, execution.request.code)
    await execution.launch?.prepare(slot)
    if (!engine) return
    this.#started(slot, execution)
    await this.#coordinator.settled(engine.id)
  }

  afterRun(slot: EngineSlot, execution: Execution, outcome: ExecuteOutcome): void {
    if (this.#engines.has(slot)) this.#coordinator.executionEnded(slot.id, execution.id, exitCodeOf(outcome))
  }

  engineGone(slot: EngineSlot): void {
    this.#engines.get(slot)?.added.dispose()
    this.#engines.delete(slot)
  }

  /** What a script printed, for who debugs it. A returned promise is what the script must wait for. */
  output(slot: EngineSlot, output: EngineOutput, launch: Launch | undefined): void | Promise<void> {
    const name = output.type === 'stream' ? output.name : 'stdout'
    const text = output.type === 'stream' ? output.text : output.type === 'display' ? displayText(output.data) : undefined
    if (text === undefined) return
    this.#coordinator.output(slot.id, output.executionId, name, text)
    launch?.output(name, text)
    return this.#pressure()
  }

  async dispose(): Promise<void> {
    this.jupyter.dispose()
    this.#coordinator.dispose()
    await this.listener.stop()
  }

  #engineOf(slot: EngineSlot, execution?: Execution): DebuggedEngine | undefined {
    const known = this.#engines.get(slot)
    if (known) return known.engine
    const { engine, namespace, id } = slot
    const target = engine.debugTarget
    if (!target || namespace === 'spare' || slot.discarded) return undefined
    const language = NAMES[execution?.language ?? (engine.languages[0] as Language)]
    const name = namespace === 'fresh' && execution ? `${language} ${baseName(execution.source)}` : language
    const debugged: DebuggedEngine = { id, name, languages: engine.languages, namespace, target }
    this.#engines.set(slot, { engine: debugged, added: this.#coordinator.addEngine(debugged) })
    return debugged
  }

  #started(slot: EngineSlot, execution: Execution | undefined): void {
    if (!execution) return
    this.#coordinator.executionStarted(slot.id, { executionId: execution.id, source: execution.debugSource ?? execution.source })
  }

  #onStopped(): void {
    // What was printed before the stop is seen before it.
    this.#parts.flushOutput()
    this.#parts.executor.held()
  }

  /** A debugger that does not read holds up what prints, not the kernel. */
  #pressure(): Promise<void> | undefined {
    for (const connection of this.#connections) if (connection.drained) return connection.drained
    return undefined
  }

  #tracer(carrier: string): (direction: 'in' | 'out', message: object) => void {
    const { trace, logger } = this.#parts
    if (!trace) return () => {}
    return (direction, message) => logger.log('trace', `${direction} ${carrier}`, { topic: 'dap', message: withoutToken(message) })
  }
}

function baseName(source: string): string {
  return source.slice(Math.max(source.lastIndexOf('/'), source.lastIndexOf('\\')) + 1)
}

function displayText(data: Record<string, unknown>): string | undefined {
  const text = data['text/plain']
  return typeof text === 'string' ? `${text}\n` : undefined
}

function withoutToken(message: object): object {
  const { arguments: args } = message as { arguments?: unknown }
  if (typeof args !== 'object' || args === null || !('token' in args)) return message
  return { ...message, arguments: { ...args, token: '…' } }
}
