import type { DebugTarget } from '@llmspell/debug'

/** The languages of cells and scripts. TypeScript and JavaScript share one engine and one namespace. */
export type Language = 'lua' | 'javascript' | 'typescript'

/** A Jupyter MIME bundle: values are strings, or JSON values for `application/json` and `+json` types; binary types are base64. */
export type MimeBundle = Record<string, unknown>

/**
 * What running code emits, each with the execution it belongs to. Late output (timers, promises) keeps the id of the
 * execution that started it. Streams arrive batched (a batch is at most 64 KiB, flushed within 20 ms) and in order with displays.
 */
export type EngineOutput =
  | { type: 'stream'; executionId: string; name: 'stdout' | 'stderr'; text: string }
  | { type: 'display'; executionId: string; data: MimeBundle; metadata: Record<string, unknown>; displayId?: string; update?: boolean }
  | { type: 'clear'; executionId: string; wait: boolean }

/** Error as Jupyter shows it. `traceback` is ready to print, one entry a line, without ANSI colours. */
export interface ScriptError {
  /** `LuaError`, `TypeError`, `SyntaxError`, `Interrupted`, `Exit`, `OutOfMemory`, `EngineCrashed`… */
  ename: string
  evalue: string
  traceback: string[]
  /** Where, when known: source as given in the request, 1-based line, 1-based column. */
  position?: { source: string; line: number; column?: number }
  /** The engine was replaced by a fresh one: variables of the namespace are gone (State is not). */
  engineLost?: boolean
}

export interface ExecuteRequest {
  /** Unique; outputs carry it. The kernel uses the msg_id of the execute_request. */
  executionId: string
  code: string
  language: Language
  /** What errors and breakpoints call this code: an absolute path for files, otherwise a cell name such as `cell [3]`. */
  source: string
  /** What a debugger calls this code when that differs: notebooks know a cell by a path made of its text. Default `source`. */
  debugSource?: string
  /** True: a cell, whose last value is reported as `result`. False: a program, run for its effects by the rules of files. */
  wantResult: boolean
  /** Host paths relative to this; default the kernel's cwd. */
  cwd?: string
  /** Script arguments (`Args`, Lua `arg`). */
  args?: readonly string[]
  /**
   * True for scripts run like a program: after the code has finished without error, the execution goes on until nothing it
   * started can still act (timers, sockets, child processes, pending promises of host calls), as a Node process would.
   * Interruptible all the time. Engines without such things ignore it. Default false: the execution ends with its code.
   */
  drain?: boolean
}

export interface ExecuteOutcome {
  status: 'ok' | 'error' | 'interrupted'
  /** The value of the code, when `wantResult` and there is one (not nil/undefined). Always holds text/plain. */
  result?: MimeBundle
  error?: ScriptError
  /** The script ended itself. With code 0 the status is `ok`, otherwise `error` with the name `Exit`. */
  exit?: { code: number }
}

export interface CompletionItem {
  text: string
  /** Jupyter `_jupyter_types_experimental` kind: function, instance, keyword, module, property… */
  kind: string
  signature?: string
}

export interface Completion {
  items: CompletionItem[]
  /** UTF-16 offsets into the code that the items replace. */
  start: number
  end: number
}

export type Completeness = { status: 'complete' | 'invalid' | 'unknown' } | { status: 'incomplete'; indent: string }

export interface HostCall {
  /** `State.set` */
  name: string
  args: unknown[]
  executionId: string
  /** Aborted when the execution is interrupted, and when the engine is lost or disposed. */
  signal: AbortSignal
}

/** What an engine needs of its kernel. Given at construction; engines never reach for anything else. */
export interface EngineHost {
  /** Runs a catalogue function. Rejections become script errors with the rejection's message, code and data. */
  call(call: HostCall): Promise<unknown>
  /** stdin of the execution: rejects with code `input.not_allowed` when the client refused input. `undefined` means end of input. */
  input(executionId: string, prompt: string, password: boolean, signal: AbortSignal): Promise<string | undefined>
  /** Called in order. A returned promise is back-pressure: the engine must stall its script until it resolves. */
  output(output: EngineOutput): void | Promise<void>
  /** Comms opened, closed or messaged by scripts. */
  comm(event: CommEvent): void
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string, fields?: Record<string, unknown>): void
}

export type CommEvent =
  | {
      type: 'open'
      executionId: string
      commId: string
      targetName: string
      data: unknown
      metadata: Record<string, unknown>
      buffers: readonly Uint8Array[]
    }
  | {
      type: 'msg' | 'close'
      executionId: string
      commId: string
      data: unknown
      metadata: Record<string, unknown>
      buffers: readonly Uint8Array[]
    }

export interface EngineStatus {
  state: 'starting' | 'idle' | 'busy' | 'lost' | 'disposed'
  /** Bytes of script heap, when known. */
  memoryBytes?: number
  pid?: number
}

/**
 * One namespace of one engine. Contract suite: `@llmspell/script/testing` `describeScriptEngine`.
 * Everything but `execute` answers while code runs (at a safe point, or from what is known without asking the script).
 */
export interface ScriptEngine {
  readonly languages: readonly Language[]
  readonly status: EngineStatus
  /** Absent: cannot be debugged. Made lazily: an engine that nobody debugs pays nothing. */
  readonly debugTarget?: DebugTarget
  /** Ready to execute. Called at most once. */
  start(): Promise<void>
  /** One at a time; the caller queues. Never rejects for what the script did. */
  execute(request: ExecuteRequest): Promise<ExecuteOutcome>
  /** For user_expressions: one expression in the namespace, after a cell. */
  evaluate(expression: string, language: Language, executionId: string): Promise<{ data: MimeBundle } | { error: ScriptError }>
  /** `offset` is in UTF-16 units. */
  complete(code: string, offset: number, language: Language): Promise<Completion>
  /** `undefined` when nothing is known there. */
  inspect(code: string, offset: number, detail: 0 | 1, language: Language): Promise<MimeBundle | undefined>
  isComplete(code: string, language: Language): Promise<Completeness>
  /** Delivered comm messages from the front end; ignored when no script target or comm of that id exists (returns false). */
  comm(event: CommEvent): Promise<boolean>
  /** Names and short descriptions of the namespace's user variables. */
  variables(): Promise<{ name: string; type: string; preview: string }[]>
  /**
   * Stops the running code and keeps the state; resolves when it has stopped (or at once when idle).
   * Escalates: soft, hard, then a fresh engine (`engineLost`).
   */
  interrupt(): Promise<void>
  /** Ends workers and processes, also while code runs. Idempotent. */
  dispose(): Promise<void>
}

/** Makes engines for the kernel: one per namespace. */
export interface EngineFactory {
  readonly languages: readonly Language[]
  /** Version of each language (`5.4.8`), as kernel_info tells it. Known without starting an engine. */
  readonly versions?: Readonly<Partial<Record<Language, string>>>
  create(host: EngineHost, options: EngineOptions): ScriptEngine
}

export interface EngineOptions {
  cwd: string
  /** Environment given to scripts (`os.getenv`, `process.env`). */
  env: Readonly<Record<string, string>>
  /** Bytes; default 1 GiB. */
  memoryLimit?: number
  /** Bytes that a debugger may use to go back (`recordHistory`), where the engine can; default 256 MiB. The oldest is forgotten first. */
  historyLimit?: number
}
