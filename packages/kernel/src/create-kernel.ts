import { LlmspellError, messageOf, silentLogger, systemClock, traceEnabled } from '@llmspell/base'
import { type KernelStatusReply, Session } from '@llmspell/jupyter'
import { CommManager } from './comms/comm-manager.ts'
import { cellNames } from './debugging/cell-names.ts'
import { Debugging } from './debugging/debugging.ts'
import { EnginePool, type EngineSlot } from './execution/engine-pool.ts'
import { Executor } from './execution/executor.ts'
import { HistoryRecorder } from './execution/history-recorder.ts'
import { InputPrompts } from './execution/input-prompts.ts'
import { Origins } from './execution/origins.ts'
import { scriptHost } from './execution/script-host.ts'
import { ScriptOutput } from './execution/script-output.ts'
import type { HandlerTable, KernelFeature } from './feature.ts'
import { IdleTimer } from './idle-timer.ts'
import { BackPressure } from './iopub/back-pressure.ts'
import { Publisher } from './iopub/publisher.ts'
import type { CreateKernelOptions, Kernel, StopReason } from './kernel.ts'
import { controlTable } from './routing/control-table.ts'
import { featureRoutes, type RouteTable } from './routing/route.ts'
import { Router } from './routing/router.ts'
import { shellTable } from './routing/shell-table.ts'
import { tracingTransport } from './routing/tracing-transport.ts'
import type { Services } from './services.ts'

const DEFAULTS = {
  outputHighWater: 8 * 1024 * 1024,
  outputPatience: 120_000,
  freshConcurrency: 8,
  spareLifetime: 300_000,
  debugPatience: 0,
}

/** Joins transport, engines and history to a kernel. Nothing happens before `start`. */
export function createKernel(options: CreateKernelOptions): Kernel {
  const { engines, defaultLanguage, record, owned, features = [], logger = silentLogger, clock = systemClock } = options
  const limits = { ...DEFAULTS, ...options.limits }

  const transport = traceEnabled('jupyter', options.trace) ? tracingTransport(options.transport, logger) : options.transport
  const session = new Session({ username: 'kernel' })
  const publisher = new Publisher(transport, session, record.id)
  const pressure = new BackPressure(transport, limits.outputHighWater, limits.outputPatience, clock, logger)

  const origins = new Origins()
  const cells = cellNames(defaultLanguage)
  const debugging = new Debugging(
    () => ({
      pool,
      executor,
      publisher,
      cells,
      env: options.env,
      socketPath: options.debugSocket,
      patience: limits.debugPatience,
      ownRequest: (content, metadata) => router.ownRequest('execute_request', content, metadata),
      flushOutput: () => origins.flush(),
      restart,
      clock,
      logger,
      trace: traceEnabled('dap', options.trace),
    }),
    logger,
  )
  const output = new ScriptOutput(publisher, origins, pressure, debugging, clock, () => idle.touch())
  const prompts = new InputPrompts(transport, session, clock, logger)
  const pool: EnginePool = new EnginePool({
    factories: engines,
    engine: {
      cwd: options.cwd,
      env: options.env,
      ...(limits.engineMemory !== undefined && { memoryLimit: limits.engineMemory }),
    },
    host: (slot) =>
      scriptHost(slot, { call: options.call, origins, output, prompts, comms, logger, trace: traceEnabled('engine', options.trace) }),
    onDiscard(slot) {
      comms.engineGone(slot)
      debugging.engineGone(slot)
    },
    spareLifetime: limits.spareLifetime,
    clock,
    logger,
  })
  const comms = new CommManager(publisher, origins, () => pool.shared, logger)
  const history = new HistoryRecorder(options.history, logger)
  const executor = new Executor({
    pool,
    origins,
    output,
    history,
    defaultLanguage,
    freshConcurrency: limits.freshConcurrency,
    keepKernelOnExit: !owned,
    cells,
    debugging,
    onEngineRenewed: (slot) => comms.engineGone(slot),
    clock,
    logger,
    trace: traceEnabled('engine', options.trace),
  })
  const idle = new IdleTimer(clock, options.idleTimeout ?? record.idleTimeout, isWorking, () => void stop('idle_timeout'))

  /** Aborted, and made anew, when what was asked before is no longer worth doing. */
  let life = new AbortController()
  let state: 'new' | 'running' | 'restarting' | 'stopping' = 'new'
  let opened = false
  let startedAt = clock.monotonic()
  const closed = Promise.withResolvers<StopReason>()

  const kernel: Kernel = { start, stop, restart, status, interrupt, closed: closed.promise }
  const services: Services = {
    kernel,
    executor,
    pool,
    comms,
    debugging,
    origins,
    output,
    history,
    historyStore: options.history,
    record,
    owned,
    relaunched: options.relaunched ?? false,
    defaultLanguage,
    engines,
    supportedFeatures: features.flatMap((feature) => feature.supportedFeatures ?? []),
    ports: options.ports,
    status,
  }
  const router = new Router({
    transport,
    session,
    publisher,
    lifeSignal: () => life.signal,
    shell: withFeatures(shellTable(services), features, 'shell'),
    control: withFeatures(controlTable(services), features, 'control'),
    stdin: (incoming) => prompts.receive(incoming),
    onActivity: () => idle.touch(),
    logger,
  })

  async function start(): Promise<void> {
    if (state !== 'new') throw new LlmspellError('a kernel starts once', { code: 'kernel.invalid_state', data: { state } })
    state = 'running'
    startedAt = clock.monotonic()
    transport.onMessage((incoming) => router.receive(incoming))
    transport.onUndeliverable?.((_peer, message) => prompts.undeliverable(message))
    transport.onPeerGone?.((peer) => prompts.peerGone(peer))
    pool.warm(pool.factoryOf(defaultLanguage))
    history.begin()
    if (services.relaunched) debugging.recall(record.id)
    try {
      await transport.open()
    } catch (error) {
      await stop('start_failed')
      throw error
    }
    opened = true
    publisher.status('starting', undefined)
    idle.start()
  }

  let stopping: Promise<void> | undefined
  function stop(reason: StopReason): Promise<void> {
    stopping ??= endLife(reason)
    return stopping
  }

  async function endLife(reason: StopReason): Promise<void> {
    state = 'stopping'
    idle.stop()
    logger.log('info', 'kernel stops', { reason })
    const stopped = new LlmspellError('the kernel has stopped', { code: 'kernel.stopped', data: { reason } })
    router.refuse(stopped)
    router.release()
    // A client that asked for it was told; all others learn of it here.
    if (opened && reason !== 'shutdown_request') publisher.publish('shutdown_reply', { status: 'ok', restart: false }, undefined)
    await endWork(stopped)
    await attempt('the debugger did not end well', () => debugging.dispose())
    for (const feature of features) await attempt(`feature ${feature.name} did not end well`, () => feature.dispose?.())
    await attempt('the history did not close', () => options.history.close())
    await attempt('the transport did not close', () => transport.close())
    closed.resolve(reason)
    options.onStop?.(reason)
  }

  let restarting: Promise<void> | undefined
  function restart(): Promise<void> {
    restarting ??= renewLife().finally(() => {
      restarting = undefined
    })
    return restarting
  }

  async function renewLife(): Promise<void> {
    if (state !== 'running') throw new LlmspellError('only a running kernel restarts', { code: 'kernel.invalid_state', data: { state } })
    state = 'restarting'
    logger.log('info', 'kernel restarts')
    router.hold()
    await endWork(new LlmspellError('the kernel was restarted', { code: 'kernel.restarted' }))
    if (stopping) return
    life = new AbortController()
    history.begin()
    publisher.status('starting', undefined)
    pool.warm(pool.factoryOf(defaultLanguage))
    state = 'running'
    router.release()
  }

  /** Every request that runs or waits gets its answer; engines, comms and origins go. */
  async function endWork(reason: LlmspellError): Promise<void> {
    life.abort(reason)
    await executor.reset(reason)
    router.failPending(reason)
    origins.clear()
  }

  function interrupt(execution?: string): Promise<boolean> {
    return executor.interrupt(execution)
  }

  function isWorking(): boolean {
    if (executor.busy || debugging.attached || state !== 'running') return true
    for (const { namespace, engine } of pool.slots) if (namespace !== 'spare' && engine.status.state === 'busy') return true
    return false
  }

  function executionState(): KernelStatusReply['execution_state'] {
    if (state === 'new' || state === 'restarting') return 'starting'
    if (debugging.status?.stopped) return 'stopped'
    return executor.busy ? 'busy' : 'idle'
  }

  function status(): KernelStatusReply {
    const debuggers = debugging.status
    return {
      status: 'ok',
      record,
      execution_state: executionState(),
      executions: executor.list(),
      ...(debuggers && { debugger: debuggers }),
      engines: [...pool.slots].map(describeEngine),
      clients: transport.subscribers ?? 0,
      uptime: Math.round(clock.monotonic() - startedAt),
      idle_for: Math.round(idle.idleFor),
      rss_bytes: process.memoryUsage.rss(),
      counters: {
        requests: router.requests,
        published: publisher.published,
        dropped_bytes: output.dropped,
        ...executor.counters,
      },
    }
  }

  function describeEngine(slot: EngineSlot): KernelStatusReply['engines'][number] {
    const { factory, namespace, engine } = slot
    const { state, memoryBytes, pid } = engine.status
    return {
      languages: [...factory.languages],
      namespace,
      state: debugging.isStopped(slot) ? 'stopped' : state,
      ...(memoryBytes !== undefined && { memory_bytes: memoryBytes }),
      ...(pid !== undefined && { pid }),
    }
  }

  async function attempt(what: string, run: () => unknown): Promise<void> {
    try {
      await run()
    } catch (error) {
      logger.log('error', `${what}: ${messageOf(error)}`)
    }
  }

  return kernel
}

function withFeatures(table: RouteTable, features: readonly KernelFeature[], channel: 'shell' | 'control'): RouteTable {
  const merged: Record<string, RouteTable[string]> = { ...table }
  for (const { name, handlers } of features) {
    const own: HandlerTable = handlers[channel] ?? {}
    for (const [type, row] of Object.entries(featureRoutes(own))) {
      if (Object.hasOwn(merged, type))
        throw new LlmspellError(`feature ${name}: ${type} is answered already`, { code: 'kernel.duplicate_handler', data: { name, type } })
      merged[type] = row
    }
  }
  return merged
}
