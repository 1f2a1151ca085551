import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import type { Duplex, Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { fileURLToPath } from 'node:url'
import { type Deferred, deferred, LlmspellError, messageOf } from '@llmspell/base'
import {
  CONTROL_FD,
  FrameReader,
  type FromGuard,
  type FromScript,
  type HostReply,
  JSON_FRAME,
  jsonFrame,
  SCRIPT_FD,
  SCRIPT_FRAME,
  STDERR_FRAME,
  STDOUT_FRAME,
  SYNC_FRAME,
  type ToGuard,
  type ToScript,
} from './wire.ts'

const MIB = 1024 * 1024
/** How long the last output of a dead process is waited for, when a grandchild keeps its pipes open. */
const LAST_WORDS_MS = 300
/** A process whose pipes have closed has this long to end by itself. */
const CLOSED_PIPE_MS = 2000

/** Why a process ended. */
export interface ProcessEnd {
  kind: 'exit' | 'out-of-memory' | 'crash' | 'killed' | 'cut-off' | 'not-started'
  code: number | null
  signal: NodeJS.Signals | null
  /** It has taken part in the work. */
  wasReady: boolean
  /** What the runtime said about it on its stderr, or how it was cut off. */
  report: string
}

export interface ProcessEvents {
  fromScript(message: FromScript): void | Promise<void>
  fromGuard(message: FromGuard): void
  /** Text of `console` and the process streams, by execution number. */
  text(n: number, name: 'stdout' | 'stderr', text: string): void | Promise<void>
  /** Bytes that bypassed JavaScript: child processes, native code. */
  raw(name: 'stdout' | 'stderr', text: string): void | Promise<void>
  end(end: ProcessEnd): void
}

export interface ProcessOptions {
  cwd: string
  env: Readonly<Record<string, string>>
  /** Bytes. */
  memoryLimit: number
  /** Directory for compiled code. */
  compileCache?: string
}

/** One engine process seen from the kernel: its pipes, and how it ended. */
export class EngineProcess {
  readonly ready: Promise<void>
  readonly #child: ChildProcess
  readonly #control: Duplex
  readonly #events: ProcessEvents
  readonly #ready: Deferred<void> = deferred<void>()
  readonly #inbound: Inbound
  #exitCode: number | undefined
  #limitReached = false
  #killed = false
  /** How its pipes became useless. */
  #cutOff: string | undefined
  #ended = false
  #report = ''
  #reporting = false

  constructor(options: ProcessOptions, events: ProcessEvents) {
    this.#events = events
    this.ready = this.#ready.promise
    this.ready.catch(() => {})
    this.#child = spawn(process.execPath, [...flags(options), entry, options.compileCache ?? ''], {
      cwd: options.cwd,
      env: { ...options.env },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
      // A process group of its own: a Ctrl-C at the terminal does not reach it, and what it starts ends with it.
      detached: process.platform !== 'win32',
      windowsHide: true,
    })
    if (this.#child.stdio === undefined || !this.#child.stdio[CONTROL_FD]) {
      this.#child.on('error', () => {})
      throw new LlmspellError('the JavaScript engine process did not start: this process has no file descriptors left', {
        code: 'engine.not_started',
        hint: 'Close connections or raise the limit (`ulimit -n`), then run it again.',
      })
    }
    this.#control = this.#child.stdio[CONTROL_FD] as Duplex
    const script = this.#child.stdio[SCRIPT_FD] as Readable
    const stdout = this.#child.stdout as Readable
    const stderr = this.#child.stderr as Readable
    this.#inbound = new Inbound([script, stdout, stderr])
    const fromGuard = new FrameReader((kind, payload) => {
      if (kind === JSON_FRAME) this.#onGuard(JSON.parse(payload.toString()) as FromGuard)
    })
    this.#read(this.#control, fromGuard)
    const fromScript = new FrameReader((kind, payload) => this.#onScriptFrame(kind, payload))
    this.#read(script, fromScript)
    this.#readRaw('stdout', stdout)
    this.#readRaw('stderr', stderr)
    for (const stream of [this.#control, script, stdout, stderr]) stream.on('error', () => {})
    this.#watchEnd(script, stdout, stderr)
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  get isReady(): boolean {
    return this.#ready.settled && !this.#ended
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Somebody does not take its output. */
  get stalled(): boolean {
    return this.#inbound.blocked
  }

  /** Calls when everything that the script had written by then has been dealt with. `written`: see `FromGuard`. */
  afterOutput(written: number, then: () => void): void {
    const script = this.#child.stdio[SCRIPT_FD] as Socket
    if (this.#ended || ((script.bytesRead - written) | 0) >= 0) return this.#inbound.take(then)
    setTimeout(() => this.afterOutput(written, then), 1)
  }

  toGuard(message: ToGuard): void {
    this.#control.write(jsonFrame(message))
  }

  toScript(message: ToScript): void {
    this.#control.write(jsonFrame(message, SCRIPT_FRAME))
  }

  /** For a script thread that is blocked on it. */
  toBlockedScript(message: HostReply): void {
    this.#control.write(jsonFrame(message, SYNC_FRAME))
  }

  /** Resolves when the system has taken the process away; at once when there is none. */
  gone(): Promise<void> {
    if (this.#exited || this.#child.pid === undefined) return Promise.resolve()
    return new Promise((resolve) => this.#child.once('exit', () => resolve()))
  }

  /** At once, with everything it has started. */
  kill(): void {
    if (this.#exited) return
    this.#killed = true
    this.#killGroup()
  }

  #killGroup(): void {
    const { pid } = this.#child
    try {
      if (pid !== undefined && process.platform !== 'win32') process.kill(-pid, 'SIGKILL')
    } catch {
      // The group is gone already.
    }
    this.#child.kill('SIGKILL')
  }

  /** A script can reach the descriptors of its process: what it does to these two ends the process, and nothing else. */
  #read(stream: Readable | Duplex, reader: FrameReader): void {
    stream.on('data', (chunk: Buffer) => {
      if (this.#cutOff !== undefined) return
      try {
        reader.push(chunk)
      } catch (error) {
        this.#cut(`bytes that are not the engine's own came through a pipe between engine and kernel: ${messageOf(error)}`)
      }
    })
    stream.once('close', () => {
      if (this.#exited) return
      const timer = setTimeout(() => this.#cut('a pipe between engine and kernel was closed'), CLOSED_PIPE_MS)
      this.#child.once('exit', () => clearTimeout(timer))
    })
  }

  #cut(how: string): void {
    if (this.#cutOff !== undefined || this.#exited) return
    this.#cutOff = how
    this.#killGroup()
  }

  get #exited(): boolean {
    return this.#ended || this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  #onGuard(message: FromGuard): void {
    if (message.t === 'limit') this.#limitReached = true
    else this.#events.fromGuard(message)
  }

  #onScriptFrame(kind: number, payload: Buffer): void {
    if (kind === STDOUT_FRAME || kind === STDERR_FRAME) {
      const n = payload.readUInt32LE(0)
      const text = payload.toString('utf8', 4)
      const name = kind === STDOUT_FRAME ? 'stdout' : 'stderr'
      this.#inbound.take(() => this.#events.text(n, name, text))
      return
    }
    const message = JSON.parse(payload.toString()) as FromScript
    if (message.t === 'childEnded') return this.#inbound.take(() => this.#waitForRaw())
    if (message.t === 'ready') this.#ready.resolve()
    if (message.t === 'exit') this.#exitCode = message.code
    this.#inbound.take(() => this.#deliver(message))
  }

  /** What is JSON may still not be a message. */
  #deliver(message: FromScript): void | Promise<void> {
    try {
      return this.#events.fromScript(message)
    } catch (error) {
      this.#cut(`a message from the engine makes no sense: ${messageOf(error)}`)
    }
  }

  /** A child process was waited for: what it wrote is in its pipe by now, and comes before what the script does next. */
  #waitForRaw(): void {
    this.#inbound.hold()
    setImmediate(() => setImmediate(() => this.#inbound.release()))
  }

  #readRaw(name: 'stdout' | 'stderr', stream: Readable): void {
    const decoder = new StringDecoder('utf8')
    stream.on('data', (chunk: Buffer) => {
      const text = decoder.write(chunk)
      if (name === 'stderr' && this.#isReport(text)) return
      if (text !== '') this.#inbound.take(() => this.#events.raw(name, text), true)
    })
  }

  /** V8's last words are for the error's text, not for the output of the cell. */
  #isReport(text: string): boolean {
    this.#reporting ||= /<--- Last few GCs --->|FATAL ERROR: |# Fatal error in|Native stack trace|#{1,2} *Fatal/.test(text)
    if (this.#reporting && this.#report.length < 64 * 1024) this.#report += text
    return this.#reporting
  }

  #watchEnd(...streams: Readable[]): void {
    this.#child.on('error', (error) => {
      if (this.#child.pid === undefined)
        this.#end({ kind: 'not-started', code: null, signal: null, wasReady: false, report: error.message })
    })
    this.#child.on('exit', (code, signal) => {
      let open = 0
      let timer: NodeJS.Timeout | undefined
      const finish = (): void => {
        clearTimeout(timer)
        this.#inbound.take(() => this.#end(this.#judge(code, signal)))
      }
      const wait = (): void => {
        const before = bytesRead(streams)
        timer = setTimeout(() => {
          // A turn of the loop for what was there all the time while this process was busy.
          setImmediate(() => (this.#inbound.blocked || bytesRead(streams) > before ? wait() : finish()))
        }, LAST_WORDS_MS)
      }
      for (const stream of streams) {
        if (stream.closed) continue
        open++
        stream.once('close', () => --open === 0 && finish())
      }
      if (open === 0) finish()
      else wait()
    })
  }

  #judge(code: number | null, signal: NodeJS.Signals | null): ProcessEnd {
    const kind = this.#killed
      ? 'killed'
      : this.#cutOff !== undefined
        ? 'cut-off'
        : this.#limitReached || /heap out of memory|Allocation failed|out of memory/i.test(this.#report)
          ? 'out-of-memory'
          : this.#exitCode !== undefined || (signal === null && !this.#reporting)
            ? 'exit'
            : 'crash'
    return { kind, code: this.#exitCode ?? code, signal, wasReady: this.#ready.settled, report: this.#cutOff ?? this.#report }
  }

  #end(end: ProcessEnd): void {
    if (this.#ended) return
    this.#ended = true
    for (const stream of this.#child.stdio) stream?.destroy()
    this.#ready.reject(
      new LlmspellError(`the JavaScript engine process did not start: ${end.report || `exit code ${end.code ?? end.signal}`}`, {
        code: 'engine.not_started',
        data: { ...end },
      }),
    )
    this.#events.end(end)
  }
}

function bytesRead(streams: readonly Readable[]): number {
  return streams.reduce((sum, stream) => sum + (stream as Socket).bytesRead, 0)
}

const entry = fileURLToPath(new URL('./process/main.js', import.meta.url))

function flags(options: ProcessOptions): string[] {
  return [
    `--max-old-space-size=${Math.max(32, Math.floor(options.memoryLimit / MIB))}`,
    // A termination inside a timer or nextTick callback would abort the process.
    '--no-force-async-hooks-checks',
    // Otherwise Node answers that signal with an open debugger port that needs no token.
    '--disable-sigusr1',
    '--disable-warning=ExperimentalWarning',
    // Scripts are modules without a package.json saying so; told for each imported neighbour, it is noise.
    '--disable-warning=MODULE_TYPELESS_PACKAGE_JSON',
    ...(Number.parseInt(process.versions.node, 10) < 24 ? ['--experimental-async-context-frame'] : []),
  ]
}

/** What comes from the process, in order; while somebody is slow with it, nothing more is read. */
class Inbound {
  readonly #streams: readonly Readable[]
  readonly #waiting: (() => void | Promise<void>)[] = []
  #blocked = false
  #held = false

  constructor(streams: readonly Readable[]) {
    this.#streams = streams
  }

  get blocked(): boolean {
    return this.#blocked
  }

  /** Held-back things wait for `release`, `urgent` ones only for those who are slow. */
  take(handle: () => void | Promise<void>, urgent = false): void {
    if (this.#blocked || (this.#held && !urgent)) {
      this.#waiting.push(handle)
      return
    }
    const slow = handle()
    if (slow) this.#block(slow)
  }

  hold(): void {
    this.#held = true
  }

  release(): void {
    this.#held = false
    if (!this.#blocked) this.#proceed()
  }

  #block(slow: Promise<void>): void {
    this.#blocked = true
    for (const stream of this.#streams) stream.pause()
    const proceed = (): void => {
      this.#blocked = false
      if (!this.#held) this.#proceed()
      if (!this.#blocked) for (const stream of this.#streams) stream.resume()
    }
    slow.then(proceed, proceed)
  }

  #proceed(): void {
    while (!this.#blocked && !this.#held) {
      const next = this.#waiting.shift()
      if (!next) return
      const slow = next()
      if (slow) this.#block(slow)
    }
  }
}
