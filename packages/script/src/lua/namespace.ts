import { readFileSync } from 'node:fs'
import { dirname, isAbsolute } from 'node:path'
import {
  type CommandResult,
  compileCell,
  type EventResult,
  LuaCrash,
  LuaError,
  LuaExit,
  type LuaFunction,
  LuaInterrupted,
  LuaMemoryError,
  LuaVM,
  warmUp,
  withoutFirstLineComment,
} from '@llmspell/lua'
import { builtinModules } from '../catalogue/builtins.ts'
import type { CommEvent, ExecuteOutcome, ExecuteRequest, MimeBundle, ScriptError } from '../engine.ts'
import { normalizeBundle } from '../host/bundles.ts'
import { OutputBuffer } from '../host/output-buffer.ts'
import { HostFailure, hostFunctions, type NamespaceServices } from './host-functions.ts'
import { fromData, toData } from './host-values.ts'
import { Introspection } from './introspection.ts'
import { type Answers, type AskRequest, type FromWorker, REASON, type RunRequest, type ToWorker, type WorkerOptions } from './protocol.ts'
import { chunkNameOf, type ErrorTexts, OWN_CHUNK, scriptErrorOf } from './script-errors.ts'
import { suggestName } from './suggest-name.ts'
import { WorkerChannel } from './worker-channel.ts'

const MIB = 1024 * 1024

/** What a run that met the memory limit may use beyond it, so that the next can clean up. */
const HEADROOM_BYTES = 8 * MIB
/** Linear memory is larger than the heap in it: fragments, C stack, buffers. */
const MEMORY_FACTOR = 1.5
const MEMORY_EXTRA_BYTES = 64 * MIB
const MEMORY_HINT = 'Everything is still there: set what is large to nil and go on.'

const NEWLINE = 10

/** Lines on standard error closer together than this are joined. */
const ERROR_BATCH_MS = 5

/** What can wait is done when nothing has been asked for this long. */
const IDLE_AFTER_MS = 15

/** No run has this id. */
const IDLE = 0

type Prelude = Record<'run' | 'show' | 'bind' | 'seal' | 'variables' | 'comm' | 'add_path', LuaFunction>

type Reply = ToWorker & { type: 'reply' }

/** One Lua state and everything that runs in its worker. */
export class LuaNamespace {
  readonly #options: WorkerOptions
  readonly #channel: WorkerChannel
  readonly #output: OutputBuffer
  readonly #vm: LuaVM
  readonly #prelude: Prelude
  readonly #nullObject: object
  /** Calls that wait, each with its reply when there is one. An interrupted call waits no more. */
  readonly #calls = new Map<number, Reply | undefined>()
  readonly #queue: RunRequest[] = []
  #introspection: Introspection | undefined
  #run = IDLE
  #executionId = ''
  #nextCall = 1
  /** In the midst of answering a question: an interrupt is for the code that waits behind it. */
  #answering = false
  #lastError = 0
  /** In the midst of a write of the C library: its buffer must be left alone. */
  #writing = false

  constructor(options: WorkerOptions) {
    this.#options = options
    this.#channel = new WorkerChannel(options.port, options.control)
    this.#output = new OutputBuffer((items, size) => {
      this.#channel.postOutput({ type: 'output', executionId: this.#executionId, items, size })
      this.#stall()
    })
    this.#vm = LuaVM.create(options.module, {
      memoryLimit: options.memoryLimit,
      maximumMemory: options.memoryLimit * MEMORY_FACTOR + MEMORY_EXTRA_BYTES,
      policy: 'full',
      cwd: options.cwd,
      env: options.env,
      stdout: (bytes) => this.#write('stdout', bytes),
      stderr: (bytes) => this.#write('stderr', bytes),
      input: () => this.#readLine(),
      run: (command, options) => this.#command(command, options),
      onEvent: () => this.#attention(),
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
  #attention(): EventResult {
    const reasons = this.#channel.takeReasons()
    if (reasons & REASON.MESSAGE) this.#receive()
    if (reasons & REASON.FLUSH) this.#flush()
    return this.#isInterrupted && !this.#answering ? 'interrupt' : 'continue'
  }

  get #isInterrupted(): boolean {
    return this.#run !== IDLE && this.#channel.isInterrupted(this.#run)
  }

  // ---- runs ----

  #perform(request: RunRequest): void {
    this.#run = request.id
    this.#executionId =
      request.type === 'execute' ? request.request.executionId : request.type === 'comm' ? request.event.executionId : request.executionId
    this.#makeRoom()
    this.#vm.control.flushNextLine()
    const value = this.#answerRun(request)
    this.#finishOutput()
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
      try {
        const [bundle] = this.#start(() => this.#vm.call(this.#prelude.run, [chunk, request.wantResult, request.args ?? []]))
        if (this.#channel.isForced(this.#run)) throw new LuaInterrupted()
        return { status: 'ok', ...(bundle !== undefined && { result: this.#bundle(bundle) }) }
      } finally {
        chunk.release()
      }
    } catch (error) {
      if (error instanceof LuaExit) return exitOutcome(error.code)
      const stopped = this.#asInterrupt(error)
      return { status: stopped instanceof LuaInterrupted ? 'interrupted' : 'error', error: this.#scriptError(stopped, request.source) }
    }
  }

  /** A cell may end with an expression, whether or not its value is asked for. */
  #compile({ code, source, wantResult }: ExecuteRequest): LuaFunction {
    const name = chunkNameOf(source)
    return wantResult ? compileCell(this.#vm, code, name).chunk : this.#vm.load(withoutFirstLineComment(code), name)
  }

  #evaluate(expression: string): Answers['evaluate'] {
    const source = '(expression)'
    try {
      const { chunk } = compileCell(this.#vm, expression, chunkNameOf(source))
      const [bundle] = this.#start(() => this.#vm.call(this.#prelude.run, [chunk, true, []]))
      chunk.release()
      return { data: bundle === undefined ? { 'text/plain': 'nil' } : this.#bundle(bundle) }
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
      return this.#start(() => this.#vm.call(this.#prelude.comm, args))[0] === true
    } catch (error) {
      if (error instanceof LuaExit) return true
      const failure = this.#scriptError(error, '')
      this.#output.writeText('stderr', `${failure.traceback.join('\n')}\n`)
      return true
    }
  }

  /** An interrupt that came before the code began stops it at its first safe point. */
  #start<T>(run: () => T): T {
    if (this.#isInterrupted) throw new LuaInterrupted()
    return run()
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

  /** At its limit the state could not even free anything. */
  #makeRoom(): void {
    const { control } = this.#vm
    const { memoryLimit } = this.#options
    control.limit = control.used > memoryLimit - HEADROOM_BYTES ? control.used + HEADROOM_BYTES : memoryLimit
  }

  #scriptError(error: unknown, source: string): ScriptError {
    // A refusal met where no Lua error can be raised, as in io.read: the run has been stopped.
    if (error instanceof HostFailure) return scriptErrorOf(new LuaError(error.message, { value: error.wire }), source, this.#texts)
    if (error instanceof LuaMemoryError) {
      const limit = `${Math.round(this.#options.memoryLimit / MIB)} MiB`
      return scriptErrorOf(
        new LuaMemoryError(`${error.message} (the limit is ${limit})`, { value: { hint: MEMORY_HINT } }),
        source,
        this.#texts,
      )
    }
    return scriptErrorOf(error, source, this.#texts)
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

  #bundle(value: unknown): MimeBundle {
    return normalizeBundle(toData(value, this.#nullObject, 'display') as MimeBundle)
  }

  #fromData(value: unknown): unknown {
    return fromData(value, this.#nullObject)
  }

  // ---- waiting for the kernel ----

  /** Blocks until `check` gives something; meanwhile questions are answered. An interrupt ends it. */
  #wait<T>(check: () => T | undefined, deadline = Number.POSITIVE_INFINITY): T | undefined {
    this.#flush()
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
    this.#flush()
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

  // ---- output ----

  #write(stream: 'stdout' | 'stderr', bytes: Uint8Array): void {
    const outer = this.#writing
    this.#writing = true
    try {
      this.#output.write(stream, bytes)
      // Standard output comes in large pieces or when it is wanted; every little write to standard error comes by itself.
      if (stream === 'stdout' || (bytes.at(-1) === NEWLINE && this.#isErrorPause())) this.#output.flush()
      this.#channel.outputPending = this.#output.pending
    } finally {
      this.#writing = outer
    }
  }

  #isErrorPause(): boolean {
    const before = this.#lastError
    this.#lastError = performance.now()
    return this.#lastError - before > ERROR_BATCH_MS
  }

  #flush(): void {
    if (!this.#writing) this.#vm.flush()
    this.#output.flush()
    this.#channel.outputPending = false
  }

  #finishOutput(): void {
    this.#vm.flush()
    this.#output.end()
    this.#channel.outputPending = false
  }

  /** More output is under way than the kernel takes: the script waits, wherever it is. An interrupt lets it go on to its end. */
  #stall(): void {
    while (this.#channel.isStalled && !this.#isInterrupted) {
      const sequence = this.#channel.sequence
      this.#receive()
      if (this.#channel.isStalled && !this.#isInterrupted) this.#channel.sleep(sequence)
    }
  }

  // ---- start ----

  #loadPrelude(): Prelude {
    const source = readFileSync(new URL('../../lua/prelude.lua', import.meta.url))
    const vm = this.#vm
    const services: NamespaceServices = {
      vm,
      nullObject: this.#nullObject,
      request: (make) => this.#call(make),
      sleep: (ms) => void this.#wait(() => undefined, performance.now() + ms),
      post: (message) => {
        this.#flush()
        this.#channel.post(message)
      },
      output: (item, size) => {
        vm.flush()
        this.#output.push(item, size)
        this.#channel.outputPending = true
      },
      executionId: () => this.#executionId,
    }
    const chunk = vm.load(source, `=${OWN_CHUNK}`)
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
