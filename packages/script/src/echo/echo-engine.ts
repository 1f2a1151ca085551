import { codeOf, delay, messageOf } from '@llmspell/base'
import type {
  CommEvent,
  Completeness,
  Completion,
  EngineFactory,
  EngineHost,
  EngineOptions,
  EngineOutput,
  EngineStatus,
  ExecuteOutcome,
  ExecuteRequest,
  Language,
  MimeBundle,
  ScriptEngine,
  ScriptError,
} from '../engine.ts'

/** Every command of the echo language with what it does; also its completions. */
export const ECHO_COMMANDS: Readonly<Record<string, string>> = {
  print: 'print TEXT: a line on stdout',
  write: 'write TEXT: stdout without a newline',
  stderr: 'stderr TEXT: a line on stderr',
  lines: 'lines N: the lines 1 to N on stdout',
  display: 'display JSON: display data with this MIME bundle',
  update: 'update ID JSON: update the display ID',
  clear: 'clear [wait]: clear the output',
  sleep: 'sleep MS: wait, interruptible',
  spin: 'spin: run until interrupted',
  input: 'input PROMPT: ask for a line and print `got: ` and the line',
  password: 'password PROMPT: ask without echo and print the length',
  set: 'set NAME VALUE: define a variable',
  get: 'get NAME: the value is the variable',
  call: 'call NAME JSON-ARRAY: run a host function and print its result',
  late: 'late MS TEXT: print after the cell has ended',
  comm: 'comm open ID TARGET JSON | msg ID JSON | close ID: comm messages',
  error: 'error TEXT: fail',
  exit: 'exit N: end the script with this code',
  crash: 'crash: lose the engine and all variables',
}

/** A toy language for tests of kernels and clients: deterministic, no worker, every outcome of the engine contract on command. */
export function echoEngineFactory(languages: readonly Language[] = ['lua', 'javascript', 'typescript']): EngineFactory {
  return { languages, create: (host, options) => new EchoEngine(languages, host, options) }
}

class Interrupted extends Error {}

class EchoEngine implements ScriptEngine {
  readonly languages: readonly Language[]
  readonly #host: EngineHost
  readonly #env: Readonly<Record<string, string>>
  readonly #variables = new Map<string, string>()
  readonly #comms = new Set<string>()
  readonly #timers = new Set<ReturnType<typeof setTimeout>>()
  #state: EngineStatus['state'] = 'starting'
  #running: { abort: AbortController; done: Promise<void> } | undefined

  constructor(languages: readonly Language[], host: EngineHost, options: EngineOptions) {
    this.languages = languages
    this.#host = host
    this.#env = options.env
  }

  get status(): EngineStatus {
    return { state: this.#state }
  }

  async start(): Promise<void> {
    this.#state = 'idle'
  }

  async execute(request: ExecuteRequest): Promise<ExecuteOutcome> {
    const abort = new AbortController()
    const { promise: done, resolve } = Promise.withResolvers<void>()
    this.#running = { abort, done }
    this.#state = 'busy'
    let line = 0
    try {
      let result: string | undefined
      for (const text of request.code.split('\n')) {
        line++
        if (abort.signal.aborted) throw new Interrupted()
        if (text.trim() !== '') result = await this.#command(text.trimStart(), request.executionId, abort.signal)
      }
      return { status: 'ok', ...(request.wantResult && result !== undefined && { result: { 'text/plain': result } }) }
    } catch (error) {
      return this.#failure(error, request.source, line)
    } finally {
      this.#running = undefined
      if (this.#state === 'busy') this.#state = 'idle'
      resolve()
    }
  }

  async #command(text: string, executionId: string, signal: AbortSignal): Promise<string | undefined> {
    const [name = '', ...words] = text.split(' ')
    const rest = words.join(' ')
    const send = async (output: EngineOutput): Promise<void> => {
      const taken = this.#host.output(output)
      if (taken) await this.#interruptible(taken, signal)
    }
    const stream = (stream: 'stdout' | 'stderr', out: string): Promise<void> =>
      send({ type: 'stream', executionId, name: stream, text: out })
    switch (name) {
      case 'print':
        await stream('stdout', `${rest}\n`)
        return undefined
      case 'write':
        await stream('stdout', rest)
        return undefined
      case 'stderr':
        await stream('stderr', `${rest}\n`)
        return undefined
      case 'lines':
        for (let line = 1; line <= Number(rest); line++) {
          if (signal.aborted) throw new Interrupted()
          await stream('stdout', `${line}\n`)
        }
        return undefined
      case 'display':
        await send({ type: 'display', executionId, data: JSON.parse(rest) as MimeBundle, metadata: {} })
        return undefined
      case 'update': {
        const [displayId = '', ...json] = words
        const data = JSON.parse(json.join(' ')) as MimeBundle
        await send({ type: 'display', executionId, data, metadata: {}, displayId, update: true })
        return undefined
      }
      case 'clear':
        await send({ type: 'clear', executionId, wait: rest === 'wait' })
        return undefined
      case 'sleep':
        await this.#interruptible(delay(Number(rest), signal), signal)
        return undefined
      case 'spin':
        await this.#interruptible(new Promise<never>(() => {}), signal)
        return undefined
      case 'input':
        await stream(
          'stdout',
          `got: ${(await this.#interruptible(this.#host.input(executionId, rest, false, signal), signal)) ?? 'nothing'}\n`,
        )
        return undefined
      case 'password':
        await stream('stdout', `${(await this.#interruptible(this.#host.input(executionId, rest, true, signal), signal))?.length ?? 0}\n`)
        return undefined
      case 'set':
        this.#variables.set(words[0] ?? '', words.slice(1).join(' '))
        return undefined
      case 'get': {
        const value = this.#variables.get(rest) ?? this.#env[rest]
        if (value === undefined) throw new Error(`no variable '${rest}'`)
        return value
      }
      case 'call': {
        const [callee = '', ...json] = words
        const args = JSON.parse(json.join(' ') || '[]') as unknown[]
        const value = await this.#interruptible(this.#host.call({ name: callee, args, executionId, signal }), signal)
        await stream('stdout', `${typeof value === 'string' ? value : JSON.stringify(value)}\n`)
        return undefined
      }
      case 'late': {
        const timer = setTimeout(() => {
          this.#timers.delete(timer)
          void stream('stdout', `${words.slice(1).join(' ')}\n`)
        }, Number(words[0]))
        this.#timers.add(timer)
        return undefined
      }
      case 'comm':
        this.#sendComm(words, executionId)
        return undefined
      case 'error':
        throw new Error(rest)
      case 'exit':
        throw new Exit(Number(rest) || 0)
      case 'crash':
        throw new Crash('the echo engine was told to crash')
      default:
        return text
    }
  }

  /** What the host does may not heed its signal; an interrupt must end the wait all the same. */
  async #interruptible<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
    work.catch(() => {})
    const { promise, reject } = Promise.withResolvers<never>()
    const onAbort = (): void => reject(new Interrupted())
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      return await Promise.race([promise, work])
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  #sendComm([type, commId = '', ...rest]: string[], executionId: string): void {
    const common = { executionId, commId, metadata: {}, buffers: [] }
    if (type === 'open') {
      this.#comms.add(commId)
      this.#host.comm({ ...common, type, targetName: rest[0] ?? '', data: JSON.parse(rest.slice(1).join(' ') || '{}') })
    } else if (type === 'msg' || type === 'close') {
      if (type === 'close') this.#comms.delete(commId)
      this.#host.comm({ ...common, type, data: JSON.parse(rest.join(' ') || '{}') })
    } else throw new Error(`comm: unknown '${type}'`)
  }

  #failure(error: unknown, source: string, line: number): ExecuteOutcome {
    if (error instanceof Interrupted)
      return { status: 'interrupted', error: { ename: 'Interrupted', evalue: 'interrupted', traceback: ['Interrupted: interrupted'] } }
    if (error instanceof Exit) {
      const { code } = error
      if (code === 0) return { status: 'ok', exit: { code } }
      return {
        status: 'error',
        exit: { code },
        error: { ename: 'Exit', evalue: `exit code ${code}`, traceback: [`Exit: exit code ${code}`] },
      }
    }
    const evalue = messageOf(error)
    const ename = error instanceof Crash ? 'EngineCrashed' : (codeOf(error) ?? 'EchoError')
    const found: ScriptError = { ename, evalue, traceback: [`${ename}: ${evalue}`, `  at ${source}:${line}`], position: { source, line } }
    if (!(error instanceof Crash)) return { status: 'error', error: found }
    this.#variables.clear()
    return { status: 'error', error: { ...found, engineLost: true } }
  }

  async evaluate(expression: string, _language: Language, executionId: string): Promise<{ data: MimeBundle } | { error: ScriptError }> {
    try {
      const value = await this.#command(expression.trim(), executionId, new AbortController().signal)
      return { data: { 'text/plain': value ?? '' } }
    } catch (error) {
      const evalue = messageOf(error)
      return { error: { ename: 'EchoError', evalue, traceback: [`EchoError: ${evalue}`] } }
    }
  }

  async complete(code: string, offset: number, _language: Language): Promise<Completion> {
    const start = offset - (/\w*$/.exec(code.slice(0, offset))?.[0].length ?? 0)
    const prefix = code.slice(start, offset)
    const commands = Object.keys(ECHO_COMMANDS).map((text) => ({ text, kind: 'keyword' }))
    const variables = [...this.#variables.keys()].map((text) => ({ text, kind: 'instance' }))
    return { items: [...commands, ...variables].filter((item) => item.text.startsWith(prefix)), start, end: offset }
  }

  async inspect(code: string, offset: number, _detail: 0 | 1, _language: Language): Promise<MimeBundle | undefined> {
    const start = offset - (/\w*$/.exec(code.slice(0, offset))?.[0].length ?? 0)
    const word = /^\w*/.exec(code.slice(start))?.[0] ?? ''
    const text = ECHO_COMMANDS[word] ?? this.#variables.get(word)
    return text === undefined ? undefined : { 'text/plain': text }
  }

  /** A line that ends in a backslash continues; `)` alone is invalid. */
  async isComplete(code: string, _language: Language): Promise<Completeness> {
    if (code.trimEnd().endsWith('\\')) return { status: 'incomplete', indent: '  ' }
    return { status: code.trim() === ')' ? 'invalid' : 'complete' }
  }

  async comm(event: CommEvent): Promise<boolean> {
    if (event.type === 'open') {
      if (event.targetName !== 'echo') return false
      this.#comms.add(event.commId)
      return true
    }
    if (!this.#comms.has(event.commId)) return false
    if (event.type === 'close') this.#comms.delete(event.commId)
    else this.#host.comm({ ...event, type: 'msg' })
    return true
  }

  async variables(): Promise<{ name: string; type: string; preview: string }[]> {
    return [...this.#variables].map(([name, value]) => ({ name, type: 'string', preview: value }))
  }

  async interrupt(): Promise<void> {
    const running = this.#running
    if (!running) return
    running.abort.abort(new Interrupted('interrupted'))
    await running.done
  }

  async dispose(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    await this.interrupt()
    this.#state = 'disposed'
  }
}

class Crash extends Error {}

class Exit extends Error {
  readonly code: number

  constructor(code: number) {
    super(`exit ${code}`)
    this.code = code
  }
}
