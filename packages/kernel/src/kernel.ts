import type { Clock, Logger } from '@llmspell/base'
import type { KernelRecord, KernelStatusReply, KernelTransport } from '@llmspell/jupyter'
import type { EngineFactory, HostCall, Language } from '@llmspell/script'
import type { HistoryStore } from './execution/history-store.ts'
import type { KernelFeature } from './feature.ts'

/** Why a kernel stopped. Hosts add their own words: `signal`, `parent_gone`… */
export type StopReason = 'shutdown_request' | 'idle_timeout' | 'start_failed' | (string & {})

/** Bounds of one kernel; every one has a default that suits a desktop. */
export interface KernelLimits {
  /** Bytes of IOPub output waiting for the carrier above which running scripts are stalled. Default 8 MiB. */
  outputHighWater?: number
  /**
   * Milliseconds without any progress of the carrier after which scripts are no longer held up: their stream output is dropped, with a
   * notice, until it moves again. Default 120 000, more than what a carrier takes to give up on one subscriber.
   */
  outputPatience?: number
  /** Executions in fresh namespaces that run at once; more wait their turn. Default 8. */
  freshConcurrency?: number
  /** Milliseconds a warm spare engine is kept unused. Default 300 000; 0 keeps none. */
  spareLifetime?: number
  /**
   * Milliseconds that a script may stand still in a Jupyter front end's debugger that asks nothing (it may have vanished) until it goes
   * on without breakpoints. Default 0: for ever.
   */
  debugPatience?: number
  /** Bytes of script heap of one engine; default the engine's own. */
  engineMemory?: number
}

export interface CreateKernelOptions {
  /** Not yet open; the kernel opens it in `start` and closes it in `stop`. */
  transport: KernelTransport
  /** One factory for each engine; a language belongs to the first factory that lists it. */
  engines: readonly EngineFactory[]
  /** Language of requests that name none; its engine starts with the kernel, others at first use. */
  defaultLanguage: Language
  /** Runs a catalogue function for a script. Rejections become script errors. */
  call(call: HostCall & { session: string }): Promise<unknown>
  history: HistoryStore
  /** What this kernel tells about itself; `record.version` is the implementation version of kernel_info. */
  record: KernelRecord
  /** True when the client that sends shutdown_request started this kernel: it then ends. False: such a request only detaches. */
  owned: boolean
  /**
   * True when the owner is a Jupyter kernel manager. It restarts a kernel by shutdown_request with `restart`, waits for the process
   * to end and launches it anew, so its request ends the kernel. Default false: every restart is in place.
   */
  relaunched?: boolean
  /** Working directory of scripts that name none. */
  cwd: string
  /** Environment given to scripts. */
  env: Readonly<Record<string, string>>
  /** Path for the socket of debuggers, in a directory of the user alone that this makes. Without it they can connect to a port only. */
  debugSocket?(): string
  /** Further message types. */
  features?: readonly KernelFeature[]
  /** Milliseconds without work after which the kernel stops itself; 0 never. Default `record.idleTimeout`. */
  idleTimeout?: number
  limits?: KernelLimits
  /** Content of connect_reply, where clients reach this kernel over ports. */
  ports?: Readonly<Record<'shell_port' | 'iopub_port' | 'stdin_port' | 'hb_port' | 'control_port', number>> | undefined
  /** Default: silent. */
  logger?: Logger
  /** Default: the system's. */
  clock?: Clock
  /** Topics of `LLMSPELL_TRACE`: `jupyter` logs each message, `engine` what passes between kernel and engines. */
  trace?: string
  /** Called once, after the transport was closed and all engines are gone. */
  onStop?(reason: StopReason): void
}

export interface Kernel {
  /**
   * Opens the transport and answers; the default engine warms up in the background. Resolves when messages are received. When the
   * transport does not open the kernel is stopped and this rejects with the transport's error.
   */
  start(): Promise<void>
  /**
   * Ends running and queued work (each request still gets its answer), broadcasts shutdown, disposes the engines, sends what
   * is queued and closes the transport. Idempotent; resolves when done.
   */
  stop(reason: StopReason): Promise<void>
  /** Fresh namespaces in place: same transport, ports, clients and history; running and queued work is aborted. */
  restart(): Promise<void>
  /**
   * Stops what runs in the shared namespace and keeps its state; with an id only that execution. Resolves when it has stopped,
   * with false when there was nothing to stop.
   */
  interrupt(execution?: string): Promise<boolean>
  status(): KernelStatusReply
  /** Resolves with the reason once the kernel has stopped. */
  readonly closed: Promise<StopReason>
}
