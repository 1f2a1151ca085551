import type { DebugTarget, DebugTargetEvent } from '@llmspell/debug'
import type { ModuleDescription } from '../catalogue/catalogue.ts'
import type { Language, MimeBundle, ScriptError } from '../engine.ts'

/*
 * Frames between the kernel and the engine process: length of the payload (u32, little endian), kind (u8), payload.
 * Three lanes: kernel → guard (fd 3), guard → kernel (fd 3), script thread → kernel (fd 4). The script's lane carries the bulk,
 * so that control is never behind output.
 */
export const FRAME_HEADER = 5
/** Payload: JSON, one of the message types below by lane. */
export const JSON_FRAME = 1
/** Kernel → guard: JSON that the guard hands on to the script thread unread. */
export const SCRIPT_FRAME = 2
/** Kernel → guard: JSON of a `HostReply` for which the script thread is blocked. */
export const SYNC_FRAME = 3
/** Script → kernel: execution number (u32), then UTF-8 text, characters whole. */
export const STDOUT_FRAME = 4
export const STDERR_FRAME = 5
/** What JSON of one string can be at most: longer is no frame. */
const MAX_PAYLOAD = 1024 * 1024 * 1024

/** File descriptors of the engine process beside the usual three. */
export const CONTROL_FD = 3
export const SCRIPT_FD = 4

/** First word from the kernel. */
export interface Init {
  t: 'init'
  catalogue: readonly ModuleDescription[]
  /** Bytes; the guard ends the process above it (heap memory is limited by V8). */
  memoryLimit: number
}

export interface Execute {
  t: 'execute'
  /** Number of the execution: small, unique in one engine process. */
  n: number
  code: string
  language: Language
  source: string
  /** What a debugger calls it, when that differs. */
  debugSource?: string
  wantResult: boolean
  cwd?: string
  args?: readonly string[]
  drain?: boolean
  /** `evaluate` of the engine contract: output goes to the execution of this number. */
  as?: number
}

export interface Interrupt {
  t: 'interrupt'
  n: number
}

export type Question =
  | { t: 'complete'; q: number; code: string; offset: number; language: Language }
  | { t: 'inspect'; q: number; code: string; offset: number; detail: 0 | 1; language: Language }
  | { t: 'isComplete'; q: number; code: string; language: Language }
  | { t: 'variables'; q: number }

/** What a debugger can ask of the guard: the methods of `DebugTarget`, by name. `settle`: what the script thread has set going is told. */
export type DebugMethod = Exclude<keyof DebugTarget, 'features' | 'onEvent'> | 'settle'

export interface DebugCommand {
  t: 'debug'
  q: number
  command: DebugMethod
  args: readonly unknown[]
}

export type ToGuard = Init | Execute | Interrupt | Question | DebugCommand

export type FromGuard =
  | { t: 'answer'; q: number; value?: unknown; error?: string; code?: string; hint?: string }
  /** `written`: of what the script has written, so many bytes (modulo 2^32) come before it. */
  | { t: 'debug'; event: DebugTargetEvent; written?: number }
  | { t: 'interrupted'; n: number; hard: boolean }
  | { t: 'done'; n: number; outcome: Outcome }
  /** The process is about to be ended by its guard. */
  | { t: 'limit'; bytes: number }
  | { t: 'log'; level: 'debug' | 'info' | 'warn' | 'error'; message: string }

/** JSON-able outcome of an execution, as the script thread or the guard knows it. */
export interface Outcome {
  status: 'ok' | 'error' | 'interrupted'
  result?: MimeBundle
  error?: ScriptError
}

/** The error of an execution that was stopped. */
export const INTERRUPTED: ScriptError = {
  ename: 'Interrupted',
  evalue: 'execution was interrupted',
  traceback: ['Interrupted: execution was interrupted'],
}

/** A value or an error back from the kernel. */
export interface HostReply {
  t: 'reply'
  id: number
  value?: unknown
  error?: HostError
}

export interface HostError {
  message: string
  name: string
  code?: string
  data?: Readonly<Record<string, unknown>>
  hint?: string
}

export interface CommWire {
  type: 'open' | 'msg' | 'close'
  commId: string
  targetName?: string
  data: unknown
  metadata: Record<string, unknown>
  /** base64 */
  buffers: string[]
}

/** Kernel → script, as `SCRIPT_FRAME`. */
export type ToScript = HostReply | { t: 'comm'; q: number; n: number; event: CommWire }

export type FromScript =
  | { t: 'ready' }
  | { t: 'done'; n: number; outcome: Outcome }
  | { t: 'call'; n: number; id: number; name: string; args: unknown[]; sync?: boolean }
  | { t: 'input'; n: number; id: number; prompt: string; password: boolean }
  | { t: 'display'; n: number; data: MimeBundle; metadata: Record<string, unknown>; displayId?: string; update?: boolean }
  | { t: 'clear'; n: number; wait: boolean }
  | { t: 'comm'; n: number; event: CommWire }
  | { t: 'commTaken'; q: number; taken: boolean }
  | { t: 'exit'; n: number; code: number }
  /** A child process that the script has waited for has ended. */
  | { t: 'childEnded' }
  | { t: 'log'; level: 'debug' | 'info' | 'warn' | 'error'; message: string; fields?: Record<string, unknown> }

export function jsonFrame(message: unknown, kind: number = JSON_FRAME): Buffer {
  return textFrame(JSON.stringify(message), kind)
}

export function textFrame(text: string, kind: number): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER + Buffer.byteLength(text))
  frame.writeUInt32LE(frame.length - FRAME_HEADER, 0)
  frame[4] = kind
  frame.write(text, FRAME_HEADER, 'utf8')
  return frame
}

/** Cuts a byte stream into frames. What it hands out is valid only during the call. Throws on bytes that are no frame. */
export class FrameReader {
  #parts: Buffer[] = []
  #length = 0
  #needed = FRAME_HEADER

  readonly #onFrame: (kind: number, payload: Buffer) => void

  constructor(onFrame: (kind: number, payload: Buffer) => void) {
    this.#onFrame = onFrame
  }

  push(chunk: Buffer): void {
    let bytes = chunk
    if (this.#length > 0) {
      this.#parts.push(chunk)
      this.#length += chunk.length
      if (this.#length < this.#needed) return
      bytes = Buffer.concat(this.#parts, this.#length)
      this.#parts = []
      this.#length = 0
    }
    let at = 0
    for (;;) {
      const left = bytes.length - at
      const size = left < FRAME_HEADER ? FRAME_HEADER : FRAME_HEADER + payloadLength(bytes, at)
      if (left < size) {
        this.#needed = size
        break
      }
      this.#onFrame(bytes[at + 4] as number, bytes.subarray(at + FRAME_HEADER, at + size))
      at += size
    }
    if (at < bytes.length) {
      this.#parts.push(bytes.subarray(at))
      this.#length = bytes.length - at
    }
  }
}

function payloadLength(bytes: Buffer, at: number): number {
  const length = bytes.readUInt32LE(at)
  const kind = bytes[at + 4] as number
  if (kind < JSON_FRAME || kind > STDERR_FRAME || length > MAX_PAYLOAD) throw new RangeError(`no frame: kind ${kind}, ${length} bytes`)
  return length
}
