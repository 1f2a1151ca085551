import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'
import { messageOf } from '@llmspell/base'
import {
  type CommandResult,
  compileCell,
  type EventResult,
  LuaCrash,
  LuaError,
  type LuaEvent,
  LuaExit,
  type LuaFunction,
  LuaInterrupted,
  LuaMemoryError,
  LuaVM,
  warmUp,
  withoutFirstLineComment,
} from '@llmspell/lua'
import { builtinModules } from '../catalogue/builtins.ts'
import type { FunctionKind, ModuleDescription } from '../catalogue/catalogue.ts'
import type { CommEvent, ExecuteOutcome, ExecuteRequest, MimeBundle, ScriptError } from '../engine.ts'
import { normalizeBundle } from '../host/bundles.ts'
import type { DebugRequest } from './debug/debug-protocol.ts'
import type { LuaDebugger } from './debug/lua-debugger.ts'
import { HostFailure, hostFunctions, type NamespaceServices } from './host-functions.ts'
import { fromData, toData } from './host-values.ts'
import { Introspection } from './introspection.ts'
import { type Answers, type AskRequest, type FromWorker, REASON, type RunRequest, type ToWorker, type WorkerOptions } from './protocol.ts'
import { chunkNameOf, type ErrorTexts, OWN_CHUNK, scriptErrorOf } from './script-errors.ts'
import { ScriptOutput } from './script-output.ts'
import { LuaSources } from './sources.ts'
import { suggestName } from './suggest-name.ts'
import { WorkerChannel } from './worker-channel.ts'

const MIB = 1024 * 1024

/** Linear memory is larger than the heap in it: fragments, C stack, buffers. */
const MEMORY_FACTOR = 1.5
const MEMORY_EXTRA_BYTES = 64 * MIB
const MEMORY_HINT = 'Everything is still there: set what is large to nil and go on.'

/** What can wait is done when nothing has been asked for this long. */
const IDLE_AFTER_MS = 15

/** No run has this id. */
const IDLE = 0

type Prelude = Record<'run' | 'show' | 'bind' | 'seal' | 'variables' | 'is_builtin' | 'bundle' | 'comm' | 'add_path', LuaFunction>

type Reply = ToWorker & { type: 'reply' }

/** One Lua state and everything that runs in its worker. */
export class LuaNamespace {
  readonly #options: WorkerOptions
  readonly #channel: WorkerChannel
  readonly #output: ScriptOutput
  readonly #vm: LuaVM
  readonly #prelude: Prelude
  readonly #nullObject: object
  readonly #sources = new LuaSources()
  /** Calls that wait, each with its reply when there is one. An interrupted call waits no more. */
  readonly #calls = new Map<number, Reply | undefined>()
  readonly #queue: RunRequest[] = []
  #introspection: Introspection | undefined
  #debugger: LuaDebugger | undefined
  /** Code of the user, that a debugger may stop. */
  #isRunning = false
  #run = IDLE
  #executionId = ''
  #nextCall = 1
  /** In the midst of answering a question: an interrupt is for the code that waits behind it. */
  #answering = false
  /** The function of the kernel that has failed last, until somebody asks. */
  #failedCall: string | undefined

  constructor(options: WorkerOptions) {
    this.#options = options
    this.#channel = new WorkerChannel(options.port, options.control)
    this.#output = new ScriptOutput(this.#channel, {
      executionId: () => this.#executionId,
      flushLibrary: () => this.#vm.flush(),
      isInterrupted: () => this.#isInterrupted,
      receive: () => this.#receive(),
    })
    this.#vm = LuaVM.create(options.module, {
      memoryLimit: options.memoryLimit,
      maximumMemory: options.memoryLimit * MEMORY_FACTOR + MEMORY_EXTRA_BYTES,
      policy: 'full',
      cwd: options.cwd,
      env: options.env,
      stdout: (bytes) => this.#output.write('stdout', bytes),
      stderr: (bytes) => this.#output.write('stderr', bytes),
      input: () => this.#readLine(),
      run: (command, options) => this.#command(command, options),
      onEvent: (event) => this.#event(event),
    })
    this.#nullObject = this.#vm.object({}, 'null')
    this.#prelude = this.#loadPrelude()
    for (const module of options.catalogue) {
      this.#vm.call(this.#prelude.bind, [module.name, module.functions.map((description) => description.name)])
    }
    this.#vm.call(this.#prelude.seal)
  }

  /** Runs until the thread is terminated. */
  serve(): never {
    this.#channel.post({ type: 'ready', memory: this.#vm.memory, controlAddress: this.#vm.controlAddress })
    let isFresh = true
    for (;;) {
      const sequence = this.#channel.sequence
      this.#receive()
      const request = this.#queue.shift()
      if (request) {
        this.#perform(request)
      } else if (this.#channel.sleep(sequence, isFresh ? IDLE_AFTER_MS : undefined) === 'timed-out') {
        this.#lookAround()
        if (this.#options.warmUp) warmUp(this.#options.module)
        isFresh = false
      }
    }
  }

  // ---- messages ----

  /** Takes what has arrived: questions are answered at once, replies and runs kept for who waits for them. */
  #receive(): void {
    for (let message = this.#channel.take(); message; message = this.#channel.take()) {
      switch (message.type) {
        case 'reply':
          if (this.#calls.has(message.call)) this.#calls.set(message.call, message)
          break
        case 'execute':
        case 'evaluate':
        case 'comm':
          this.#queue.push(message)
          break
        case 'debug':
          this.#debug(message)
          break
        default:
          this.#channel.post(this.#answer(message))
      }
    }
  }

  #lookAround(): Introspection {
    this.#introspection ??= new Introspection(this.#vm, [...this.#options.catalogue, ...builtinModules])
    return this.#introspection
  }

  /** When memory is short, or a hard interrupt stops everything, the kernel's side answers from what it knows. */
  #answer(request: AskRequest): FromWorker {
    const outer = this.#answering
    this.#answering = true
    try {
      return { type: 'answer', id: request.id, value: this.#ask(request) }
    } catch (error) {
      if (!(error instanceof LuaError)) throw error
      return { type: 'unanswered', id: request.id }
    } finally {
      this.#answering = outer
    }
  }

  #ask(request: AskRequest): Answers[AskRequest['type']] {
    switch (request.type) {
      case 'complete':
        return this.#lookAround().complete(request.code, request.offset)
      case 'inspect':
        return this.#lookAround().inspect(request.code, request.offset, request.detail)
      case 'isComplete':
        return this.#lookAround().isComplete(request.code)
      case 'variables':
        return listOf(this.#vm.call(this.#prelude.variables)[0] as Answers['variables'])
    }
  }

  /** The VM stands still at a safe point of the running code. */
  #event(event: LuaEvent): EventResult {
    if (event.kind !== 'attention') return this.#debugger?.met(event) ?? 'continue'
    const reasons = this.#channel.takeReasons()
    if (reasons & REASON.MESSAGE) this.#receive()
    if (reasons & REASON.FLUSH) this.#output.flush()
    if (this.#debugger) return this.#answering ? 'continue' : this.#debugger.attention(event)
    return this.#isInterrupted && !this.#answering ? 'interrupt' : 'continue'
  }

  // ---- debugging ----

  #debug(request: DebugRequest): void {
    this.#debugger ??= this.#loadDebugger()
    this.#debugger.answer(request)
  }

  /** At once, as nothing can be awaited here; what no debugger looks at never loads it. */
  #loadDebugger(): LuaDebugger {
    const path = fileURLToPath(import.meta.resolve('@llmspell/script/lua/debugger'))
    const { LuaDebugger } = createRequire(import.meta.url)(path) as typeof import('./debug/lua-debugger.ts')
    return new LuaDebugger({
      vm: this.#vm,
      inspector: this.#lookAround().inspector,
      sources: this.#sources,
      isBuiltin: this.#prelude.is_builtin,
      bundle: this.#prelude.bundle,
      historyLimit: this.#options.historyLimit,
      toBundle: (value) => this.#toBundle(value),
      takeFailedCall: () => this.#takeFailedCall(),
      post: (message) => this.#channel.post(message),
      flush: () => this.#output.flush(),
      isInterrupted: () => this.#isInterrupted,
      isRunning: () => this.#isRunning,
      wait: (isOver) => this.#waitFor(isOver),
    })
  }

  #takeFailedCall(): FunctionKind | undefined {
    const name = this.#failedCall
    this.#failedCall = undefined
    return name === undefined ? undefined : kindOf(this.#options.catalogue, name)
  }

  /** Blocks until it is over; meanwhile everything that arrives is answered. */
  #waitFor(isOver: () => boolean): void {
    for (;;) {
      const sequence = this.#channel.sequence
      this.#receive()
      if (isOver()) return
      if (this.#channel.takeReasons() & REASON.FLUSH) this.#output.flush()
      this.#channel.sleep(sequence)
    }
  }

  get #isInterrupted(): boolean {
    return this.#run !== IDLE && this.#channel.isInterrupted(this.#run)
  }

  // ---- runs ----

  #perform(request: RunRequest): void {
    this.#run = request.id
    this.#executionId =
      request.type === 'execute' ? request.request.executionId : request.type === 'comm' ? request.event.executionId : request.executionId
    this.#vm.control.flushNextLine()
    const value = this.#answerRun(request)
    this.#output.end()
    this.#channel.post({ type: 'answer', id: request.id, value })
    this.#run = IDLE
  }

  #answerRun(request: RunRequest): Answers[RunRequest['type']] {
    switch (request.type) {
      case 'execute':
        return this.#execute(request.request)
      case 'evaluate':
        return this.#evaluate(request.expression)
      case 'comm':
        return this.#comm(request.event)
    }
  }

  #execute(request: ExecuteRequest): ExecuteOutcome {
    this.#vm.system.cwd = request.cwd ?? this.#options.cwd
    try {
      if (request.args) this.#giveArguments(request.args, request.source)
      if (isAbsolute(request.source)) this.#vm.call(this.#prelude.add_path, [dirname(request.source)])
      const chunk = this.#compile(request)
      const result = this.#runChunk(chunk, request.wantResult, request.args ?? [], (callee, args) => this.#runDebugged(callee, args))
      if (this.#channel.isForced(this.#run)) throw new LuaInterrupted()
      return { status: 'ok', ...(result && { result }) }
    } catch (error) {
      if (error instanceof LuaExit) return exitOutcome(error.code)
      const stopped = this.#asInterrupt(error)
      return { status: stopped instanceof LuaInterrupted ? 'interrupted' : 'error', error: this.#scriptError(stopped, request.source) }
    }
  }

  /** Cells may end with an expression, programs are what `luaL_loadfile` takes. */
  #compile({ code, source, debugSource, wantResult }: ExecuteRequest): LuaFunction {
    const name = chunkNameOf(source)
    const { control } = this.#vm
    control.origin = this.#sources.number(debugSource ?? source, code)
    try {
      return wantResult ? compileCell(this.#vm, code, name).chunk : this.#vm.load(withoutFirstLineComment(code), name)
    } finally {
      control.origin = 0
    }
  }

  #runDebugged(callee: LuaFunction, args: readonly unknown[]): unknown[] {
    this.#isRunning = true
    try {
      return this.#debugger?.run(callee, args) ?? this.#vm.call(callee, args)
    } finally {
      this.#isRunning = false
      this.#debugger?.ran()
    }
  }

  #evaluate(expression: string): Answers['evaluate'] {
    const source = '(expression)'
    try {
      const { chunk } = compileCell(this.#vm, expression, chunkNameOf(source))
      return { data: this.#runChunk(chunk, true, [], (callee, args) => this.#vm.call(callee, args)) ?? { 'text/plain': 'nil' } }
    } catch (error) {
      if (error instanceof LuaExit) return { error: exitError(error.code) }
      return { error: this.#scriptError(error, source) }
    }
  }

  #comm(event: CommEvent): boolean {
    const { type, commId, metadata, buffers } = event
    const target = event.type === 'open' ? event.targetName : undefined
    try {
      const args = [type, commId, target, this.#fromData(event.data), this.#fromData(metadata), [...buffers]]
      this.#checkInterrupt()
      return this.#vm.call(this.#prelude.comm, args)[0] === true
    } catch (error) {
      if (error instanceof LuaExit) return true
      this.#output.writeText('stderr', `${this.#scriptError(error, '').traceback.join('\n')}\n`)
      return true
    }
  }

  /** The value as a bundle, when there is one and it is wanted. */
  #runChunk(
    chunk: LuaFunction,
    wantResult: boolean,
    args: readonly string[],
    call: (callee: LuaFunction, args: readonly unknown[]) => unknown[],
  ): MimeBundle | undefined {
    try {
      this.#checkInterrupt()
      const [bundle] = call(this.#prelude.run, [chunk, wantResult, args])
      return bundle === undefined ? undefined : this.#toBundle(bundle)
    } finally {
      chunk.release()
    }
  }

  #toBundle(value: unknown): MimeBundle {
    return normalizeBundle(toData(value, this.#nullObject, 'display') as MimeBundle)
  }

  /** For an interrupt that came before the code began. */
  #checkInterrupt(): void {
    if (this.#isInterrupted) throw new LuaInterrupted()
  }

  /** An interrupt that passed a coroutine or a handler of the script has become another error on its way. */
  #asInterrupt(error: unknown): unknown {
    if (!this.#isInterrupted || error instanceof LuaInterrupted || !(error instanceof LuaError)) return error
    const isOurs = this.#channel.isForced(this.#run) || error.message.endsWith('interrupted')
    return isOurs ? new LuaInterrupted(error.traceback) : error
  }

  #giveArguments(args: readonly string[], source: string): void {
    this.#vm.setGlobal('Args', [...args])
    this.#vm.setGlobal('arg', new Map<number, string>([[0, source], ...args.map((text, index): [number, string] => [index + 1, text])]))
  }

  #scriptError(error: unknown, source: string): ScriptError {
    if (error instanceof LuaCrash) throw error
    return scriptErrorOf(this.#asLuaError(error), source, this.#texts)
  }

  #asLuaError(error: unknown): LuaError {
    // Not raised by Lua: a refusal where nothing can be raised, as in io.read, or a bundle that cannot be shown.
    if (!(error instanceof LuaError))
      return new LuaError(messageOf(error), { value: error instanceof HostFailure ? error.wire : undefined })
    if (!(error instanceof LuaMemoryError)) return error
    const limit = `${Math.round(this.#options.memoryLimit / MIB)} MiB`
    return new LuaMemoryError(`${error.message} (the limit is ${limit})`, { value: { hint: MEMORY_HINT } })
  }

  readonly #texts: ErrorTexts = {
    show: (value) => this.#show(value),
    suggest: (name, kind) => suggestName([...this.#options.catalogue, ...builtinModules], name, kind),
  }

  #show(value: unknown): string {
    try {
      return String(this.#vm.call(this.#prelude.show, [value])[0])
    } catch (error) {
      if (error instanceof LuaCrash) throw error
      return 'an error value that cannot be shown'
    }
  }

  #fromData(value: unknown): unknown {
    return fromData(value, this.#nullObject)
  }

  // ---- waiting for the kernel ----

  /** Blocks until `check` gives something; meanwhile questions are answered. An interrupt ends it. */
  #wait<T>(check: () => T | undefined, deadline = Number.POSITIVE_INFINITY): T | undefined {
    this.#output.flush()
    for (;;) {
      const sequence = this.#channel.sequence
      this.#receive()
      const found = check()
      if (found !== undefined) return found
      if (this.#isInterrupted) throw new LuaInterrupted()
      const left = deadline - performance.now()
      if (left <= 0) return undefined
      this.#channel.sleep(sequence, left === Number.POSITIVE_INFINITY ? undefined : left)
    }
  }

  /** Sends a request and blocks for its reply. */
  #call(make: (call: number) => FromWorker): unknown {
    const call = this.#nextCall++
    this.#output.flush()
    this.#calls.set(call, undefined)
    try {
      this.#channel.post(make(call))
      const reply = this.#wait(() => this.#calls.get(call))
      if (reply?.error) throw this.#isInterrupted ? new LuaInterrupted() : new HostFailure(reply.error)
      return reply?.value
    } finally {
      this.#calls.delete(call)
    }
  }

  #readLine(): string | undefined {
    const line = this.#call((call) => ({ type: 'input', call, prompt: '', password: false, executionId: this.#executionId }))
    return line === undefined ? undefined : `${line as string}\n`
  }

  #command(command: string, options: { cwd: string; env: Readonly<Record<string, string>>; input?: Uint8Array }): CommandResult {
    return this.#call((call) => ({ type: 'command', call, command, ...options, executionId: this.#executionId })) as CommandResult
  }

  // ---- start ----

  #loadPrelude(): Prelude {
    const source = readFileSync(new URL('../../lua/prelude.lua', import.meta.url))
    const vm = this.#vm
    const services: NamespaceServices = {
      vm,
      nullObject: this.#nullObject,
      request: (make) => this.#call(make),
      sleep: (ms) => {
        this.#wait(() => undefined, performance.now() + ms)
      },
      post: (message) => {
        this.#output.flush()
        this.#channel.post(message)
      },
      output: (item, size) => this.#output.push(item, size),
      failed: (name) => {
        this.#failedCall = name
      },
      executionId: () => this.#executionId,
    }
    vm.control.origin = -1
    const chunk = vm.load(source, `=${OWN_CHUNK}`)
    vm.control.origin = 0
    const [prelude] = vm.call(chunk, [hostFunctions(services)])
    chunk.release()
    return prelude as Prelude
  }
}

/** An empty Lua table arrives as an object. */
function listOf<T>(value: readonly T[]): T[] {
  return Array.isArray(value) ? value : []
}

function exitError(code: number): ScriptError {
  return { ename: 'Exit', evalue: `exit code ${code}`, traceback: [`Exit: exit code ${code}`] }
}

function exitOutcome(code: number): ExecuteOutcome {
  return code === 0 ? { status: 'ok', exit: { code } } : { status: 'error', exit: { code }, error: exitError(code) }
}

function kindOf(catalogue: readonly ModuleDescription[], call: string): FunctionKind | undefined {
  const [module, name] = call.split('.')
  return catalogue.find((candidate) => candidate.name === module)?.functions.find((candidate) => candidate.name === name)?.kind
}
