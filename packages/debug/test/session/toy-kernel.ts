import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { type Disposable, LlmspellError } from '@llmspell/base'
import { cellSource, DebugCoordinator, type DebuggedRun, type DebugHost, type LaunchOptions, type RunObserver } from '../../src/index.ts'
import { ToyEngine, type ToyOutcome } from '../toy/toy-engine.ts'
import { SessionClient } from './session-client.ts'

interface Slot {
  id: string
  engine: ToyEngine
  added: Disposable
}

/** A kernel as far as debugging sees one: shared namespaces, runs in fresh ones, cells as files, all of the toy language. */
export class ToyKernel implements DebugHost {
  readonly dir: string = mkdtempSync(join(tmpdir(), 'llmspell-debug-test-'))
  readonly cells: DebugHost['cells'] = { prefix: join(this.dir, 'cells', '/'), suffix: '.toy', seed: 0xc70f6907 }
  readonly coordinator: DebugCoordinator = new DebugCoordinator(this)
  readonly shared: Slot[] = []
  readonly clients: SessionClient[] = []
  /** A launch waits for this before its engine is ready. */
  slowStart: Promise<void> | undefined
  #engines = 0
  #executions = 0
  readonly #running = new Map<string, ToyEngine>()

  /** A client of a session of its own. */
  client(kind: 'dap' | 'jupyter' = 'dap'): SessionClient {
    const client = new SessionClient(this.coordinator, kind)
    this.clients.push(client)
    return client
  }

  /** A namespace of cells. */
  addShared(name = `Toy ${this.shared.length + 1}`): Slot {
    const engine = new ToyEngine()
    const id = `engine-${++this.#engines}`
    const added = this.coordinator.addEngine({ id, name, languages: ['lua'], namespace: 'shared', target: engine.target })
    const slot = { id, engine, added }
    this.shared.push(slot)
    return slot
  }

  /** A cell, or code under any other source. */
  async cell(slot: Slot, code: string, source: string = cellSource(this.cells, code)): Promise<ToyOutcome> {
    const executionId = `execution-${++this.#executions}`
    slot.engine.onOutput = (text) => this.coordinator.output(slot.id, executionId, 'stdout', text)
    await this.coordinator.settled(slot.id)
    this.coordinator.executionStarted(slot.id, { executionId, source })
    this.#running.set(slot.id, slot.engine)
    const outcome = await slot.engine.run(source, code)
    this.#running.delete(slot.id)
    this.coordinator.executionEnded(slot.id, executionId, outcome.status === 'ok' ? 0 : 1)
    return outcome
  }

  write(name: string, code: string): string {
    const path = join(this.dir, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, code)
    return path
  }

  async launch({ program, args = [] }: LaunchOptions, observer: RunObserver, signal: AbortSignal): Promise<DebuggedRun> {
    if (!existsSync(program)) throw new LlmspellError(`there is no file ${program}`, { code: 'kernel.no_file', hint: 'Look at the path.' })
    const engine = new ToyEngine()
    const id = `engine-${++this.#engines}`
    const executionId = `execution-${++this.#executions}`
    engine.onOutput = (text) => {
      observer.output('stdout', text)
      this.coordinator.output(id, executionId, 'stdout', text)
    }
    const name = `Toy ${basename(program)}`
    const debugged = { id, name, languages: ['lua'] as const, namespace: 'fresh' as const, target: engine.target }
    const run = async (): Promise<ToyOutcome> => {
      try {
        await Promise.race([
          this.slowStart,
          new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
        ])
        await observer.prepare(debugged)
      } catch (error) {
        return { status: 'interrupted', error: (error as Error).message }
      }
      const added = this.coordinator.addEngine(debugged)
      this.coordinator.executionStarted(id, { executionId, source: program })
      this.#running.set(id, engine)
      const code = args.length > 0 ? `args = '${args.join(' ')}'\n` : ''
      const outcome = await engine.run(program, readFileSync(program, 'utf8') + code)
      await new Promise(setImmediate)
      this.#running.delete(id)
      this.coordinator.executionEnded(id, executionId, outcome.status === 'ok' ? 0 : 1)
      added.dispose()
      return outcome
    }
    const ended = run().then(({ status, error }) => {
      const exitCode = status === 'ok' ? 0 : status === 'error' ? 1 : 130
      return { exitCode, ...(error !== undefined && { error: { name: 'ToyError', message: error, traceback: [`ToyError: ${error}`] } }) }
    })
    return { executionId, ended, terminate: () => engine.interrupt() }
  }

  async interrupt(engineId: string): Promise<void> {
    const engine = this.#running.get(engineId) ?? this.shared.find(({ id }) => id === engineId)?.engine
    await engine?.interrupt()
  }

  async restart(): Promise<void> {
    for (const { engine } of this.shared) await engine.lose()
  }

  async dumpCell(code: string): Promise<string> {
    const path = cellSource(this.cells, code)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, code)
    return path
  }

  async readSource(source: string): Promise<string | undefined> {
    return existsSync(source) ? readFileSync(source, 'utf8') : undefined
  }

  async render(engineId: string, expression: string): Promise<{ data: Record<string, unknown>; metadata: Record<string, unknown> }> {
    const engine = this.shared.find(({ id }) => id === engineId)?.engine
    const value = await engine?.target.evaluate(expression, undefined, 'watch')
    return { data: { 'text/plain': value?.value, 'text/html': `<b>${value?.value}</b>` }, metadata: {} }
  }

  async dispose(): Promise<void> {
    for (const client of this.clients) client.session.closed('vanished')
    for (const engine of this.#running.values()) await engine.interrupt()
    for (const { engine } of this.shared) await engine.interrupt()
    this.coordinator.dispose()
    rmSync(this.dir, { recursive: true, force: true })
  }
}
