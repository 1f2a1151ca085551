import { type Logger, silentLogger, traceEnabled } from '@llmspell/base'
import type { Config, LlmspellPaths } from '@llmspell/config'
import type { KernelRecord, KernelTransport } from '@llmspell/jupyter'
import {
  type CreateKernelOptions,
  createKernel,
  type HistoryStore,
  type Kernel,
  type KernelFeature,
  MemoryHistoryStore,
  type StopReason,
} from '@llmspell/kernel'
import type { EngineFactory } from '@llmspell/script'
import { catalogueDispatcher, type ModuleDescription } from '@llmspell/script/catalogue'
import { javascriptEngineFactory } from '@llmspell/script/javascript'
import { luaEngineFactory } from '@llmspell/script/lua'
import { createCatalogue } from './catalogue.ts'
import { createSqliteHistory } from './history/sqlite-history.ts'
import { createStateStore } from './state-store.ts'

export interface RuntimeOptions {
  config: Config
  paths: LlmspellPaths
  record: KernelRecord
  /** Bound and not yet open. */
  transport: KernelTransport
  /** Whether the client that sends shutdown_request started this kernel. */
  owned: boolean
  /** Whether that client is a kernel manager, which waits for the process to end and launches it anew to restart it. */
  relaunched?: boolean
  /** Content of connect_reply, where clients reach this kernel over ports. */
  ports?: CreateKernelOptions['ports']
  /** Path for the socket of debuggers, in a directory of the user alone that this makes. Without it they can connect to a port only. */
  debugSocket?(): string
  cwd: string
  env: Readonly<Record<string, string>>
  logger?: Logger
  /** Topics of `LLMSPELL_TRACE`. */
  trace?: string
  features?: readonly KernelFeature[]
  /** Instead of the Lua and JavaScript engines: makes them for a catalogue. For tests. */
  engines?(catalogue: readonly ModuleDescription[]): readonly EngineFactory[]
  onStop?(reason: StopReason): void
}

/** From configuration to a kernel that can be started: the one place where the parts are joined. */
export function createRuntime(options: RuntimeOptions): Kernel {
  const { config, paths, record, logger = silentLogger, trace } = options
  const state = createStateStore(config, paths)
  const history = createHistory(config, paths, logger)

  const catalogue = createCatalogue({ state, status: () => kernel.status(), languages: ['lua', 'javascript', 'typescript'] })
  const dispatch = catalogueDispatcher(catalogue)
  const traceState = traceEnabled('state', trace)

  const engines = options.engines?.(catalogue) ?? [
    luaEngineFactory({ catalogue }),
    javascriptEngineFactory({ catalogue, compileCache: paths.cacheDir }),
  ]

  const kernel = createKernel({
    transport: options.transport,
    engines,
    defaultLanguage: record.language,
    call({ name, args, executionId, session, signal }) {
      if (traceState) logger.log('trace', name, { topic: 'state', args, execution: executionId })
      return dispatch(name, args, { executionId, session, signal })
    },
    history,
    record,
    owned: options.owned,
    ...(options.relaunched !== undefined && { relaunched: options.relaunched }),
    ports: options.ports,
    cwd: options.cwd,
    env: options.env,
    limits: {
      engineMemory: config['kernel.memory_limit'],
      freshConcurrency: config['kernel.parallel_runs'],
      debugPatience: config['debug.notebook_patience'],
    },
    ...(options.debugSocket && { debugSocket: options.debugSocket }),
    logger,
    ...(options.features && { features: options.features }),
    ...(trace !== undefined && { trace }),
    onStop(reason) {
      state.close()
      options.onStop?.(reason)
    },
  })
  return kernel
}

function createHistory(config: Config, paths: LlmspellPaths, logger: Logger): HistoryStore {
  if (!config['history.enabled']) return new MemoryHistoryStore()
  return createSqliteHistory({ file: paths.historyDatabase, keep: config['history.keep'], logger })
}
