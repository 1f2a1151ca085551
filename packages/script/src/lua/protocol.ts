import type { MessagePort } from 'node:worker_threads'
import type { LuaModule, WasmMemory } from '@llmspell/lua'
import type { ModuleDescription } from '../catalogue/catalogue.ts'
import type { CommEvent, Completeness, Completion, ExecuteOutcome, ExecuteRequest, MimeBundle, ScriptError } from '../engine.ts'
import type { OutputItem } from '../host/output-buffer.ts'
import type { DebugAnswer, DebugNotice, DebugRequest } from './debug/debug-protocol.ts'

/**
 * Words of the shared control block between the kernel's thread and the worker. The worker sleeps on `WAKE`, which changes
 * whenever there is something new for it: read it before looking for messages, or a wake-up is lost.
 */
export const CONTROL = { WAKE: 0, REASONS: 1, TAKEN: 2, INTERRUPTED_RUN: 3, OUTPUT_PENDING: 4, FORCED_RUN: 5 } as const
export const CONTROL_BYTES = 64

/** Why the worker should look up from running code. */
export const REASON = { INTERRUPT: 1, FLUSH: 2, MESSAGE: 4 } as const

/** Output units that may be under way before the script stalls. */
export const OUTPUT_WINDOW: number = 4 * 1024 * 1024

/** What a worker thread starts with; what its namespace is comes as the first message on the port. */
export interface ThreadData {
  port: MessagePort
  control: SharedArrayBuffer
}

export interface NamespaceOptions {
  module: LuaModule
  memoryLimit: number
  cwd: string
  env: Readonly<Record<string, string>>
  catalogue: readonly ModuleDescription[]
  /** Bytes that a debugger may use for a history of states. */
  historyLimit: number
  /** The first worker of a process makes V8 optimise the module; the others share its code. */
  warmUp: boolean
}

export type WorkerOptions = ThreadData & NamespaceOptions

export interface WireError {
  message: string
  code?: string
  data?: unknown
  hint?: string
}

/** Work that runs code of the script, one at a time: the kernel's side sends the next when the last has been answered. */
export type RunRequest =
  | { type: 'execute'; id: number; request: ExecuteRequest }
  | { type: 'evaluate'; id: number; expression: string; executionId: string }
  | { type: 'comm'; id: number; event: CommEvent }

/** Questions that are answered at any time. */
export type AskRequest =
  | { type: 'complete'; id: number; code: string; offset: number }
  | { type: 'inspect'; id: number; code: string; offset: number; detail: 0 | 1 }
  | { type: 'isComplete'; id: number; code: string }
  | { type: 'variables'; id: number }

export type ToWorker = RunRequest | AskRequest | DebugRequest | { type: 'reply'; call: number; value?: unknown; error?: WireError }

export interface Answers {
  execute: ExecuteOutcome
  evaluate: { data: MimeBundle } | { error: ScriptError }
  comm: boolean
  complete: Completion
  inspect: MimeBundle | undefined
  isComplete: Completeness
  variables: { name: string; type: string; preview: string }[]
}

export type FromWorker =
  | DebugAnswer
  | DebugNotice
  | { type: 'ready'; memory: WasmMemory; controlAddress: number }
  | { type: 'answer'; id: number; value: unknown }
  /** The question cannot be answered by the namespace. */
  | { type: 'unanswered'; id: number }
  | { type: 'output'; executionId: string; items: OutputItem[]; size: number }
  | { type: 'call'; call: number; name: string; args: unknown[]; executionId: string }
  | { type: 'input'; call: number; prompt: string; password: boolean; executionId: string }
  | {
      type: 'command'
      call: number
      command: string
      cwd: string
      env: Readonly<Record<string, string>>
      input?: Uint8Array
      executionId: string
    }
  | { type: 'comm'; event: CommEvent }
  | { type: 'targets'; comms: readonly string[]; targets: readonly string[] }
  | { type: 'log'; level: 'debug' | 'info' | 'warn' | 'error'; message: string; fields?: Record<string, unknown> }
