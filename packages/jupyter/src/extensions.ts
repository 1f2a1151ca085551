/**
 * What llmspell adds to Jupyter messaging. Everything lives under a `llmspell` key, so that a plain Jupyter client
 * never meets it and a plain Jupyter kernel ignores it.
 */

/** `metadata.llmspell` of an execute_request. */
export interface ExecuteExtension {
  /** Language of this code; default the kernel's. `ts` cells may use types. */
  language?: 'lua' | 'javascript' | 'typescript'
  /**
   * What errors and breakpoints call this code; default `cell [n]`. An absolute path for files. Code that names its source is a
   * program: the value of its last expression is no result.
   */
  source?: string
  /** `fresh`: a namespace of its own, dropped at the end, that does not queue behind the shared one. Default `shared`. */
  namespace?: 'shared' | 'fresh'
  /** Script arguments. */
  args?: string[]
  /** Absolute; host paths and imports resolve against it. Default the kernel's. */
  cwd?: string
}

/** `metadata.llmspell` of a complete_, inspect_ or is_complete_request. */
export interface LanguageExtension {
  language?: ExecuteExtension['language']
}

/** `metadata.llmspell` of an interrupt_request: only this execution, wherever it runs. Default: what runs in the shared namespace. */
export interface InterruptExtension {
  execution?: string
}

/**
 * `metadata.llmspell` of a shutdown_request. Without it a client that does not own the kernel (a daemon, an auto-started one)
 * only detaches; the reply then has `content.llmspell.detached: true` and the kernel goes on.
 */
export interface ShutdownExtension {
  stop?: boolean
  /**
   * With `restart: true`: fresh namespaces in the same process, also where a Jupyter kernel manager owns the kernel (whose own request
   * ends it, because the manager waits for the process to exit and launches it anew on the same ports).
   */
  inPlace?: boolean
}

/** The `llmspell` key of the connection file, which is also the kernel's registry entry. */
export interface KernelRecord {
  id: string
  pid: number
  /** Start time of the process as the system tells it (Linux: field 22 of /proc/PID/stat); with the pid it names one process. */
  startTime: string
  version: string
  /** Default language of the kernel. */
  language: 'lua' | 'javascript' | 'typescript'
  cwd: string
  /** ISO 8601. */
  startedAt: string
  /** `auto`: started by a client because none ran; `daemon`, `foreground`: by the user; `jupyter`: by a Jupyter client, which owns it. */
  startedBy: 'auto' | 'daemon' | 'foreground' | 'jupyter'
  /** Milliseconds; 0 is never. */
  idleTimeout: number
  logFile?: string
}

/** Reply content of our control request `kernel_status_request` (no content in the request). */
export interface KernelStatusReply {
  status: 'ok'
  record: KernelRecord
  /** `stopped`: a debugger holds a script. */
  execution_state: 'starting' | 'idle' | 'busy' | 'stopped'
  /** Executions that run or wait now. */
  executions: { msg_id: string; session: string; source: string; language: string; state: 'running' | 'queued'; started_at?: string }[]
  engines: { languages: string[]; namespace: string; state: string; memory_bytes?: number; pid?: number }[]
  /** Absent while there is no debugger: how many sessions, and how many threads they hold. */
  debugger?: { sessions: number; stopped: number }
  clients: number
  /** Milliseconds. */
  uptime: number
  idle_for: number
  rss_bytes: number
  counters: Record<string, number>
}

/** Reply content of our shell-side control request `variables_request` (`metadata.llmspell.language` picks the namespace). */
export interface VariablesReply {
  status: 'ok'
  variables: { name: string; type: string; preview: string; language: string }[]
}

/**
 * Content of our control request `start_debug_server_request`: debuggers may connect from now on, until
 * `stop_debug_server_request` or until nobody has been connected for ten minutes. Asked again, it answers with the endpoint that stands.
 */
export interface StartDebugServerRequest {
  /** `unix`: a socket in the private runtime directory. `tcp`: a port of 127.0.0.1. Default `unix`, where the kernel has one. */
  transport?: 'unix' | 'tcp'
  /** Of tcp; 0 or none: any that is free. */
  port?: number
}

/** Where a debugger speaks the Debug Adapter Protocol, and the `token` that its launch or attach request must have in its arguments. */
export type StartDebugServerReply = { status: 'ok'; token: string } & DebugServerEndpoint

export type DebugServerEndpoint = { transport: 'unix'; path: string } | { transport: 'tcp'; ip: string; port: number }

/** Reply content of our control request `stop_debug_server_request` (no content in the request). Sessions end as if they had left. */
export interface StopDebugServerReply {
  status: 'ok'
  /** False: none was open. */
  stopped: boolean
}
