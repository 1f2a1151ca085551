/**
 * Contents of the shell channel, in the order of the specification. Offsets (`cursor_pos`, `cursor_start`, `cursor_end`)
 * count Unicode code points; `positions.ts` converts them.
 * https://jupyter-client.readthedocs.io/en/stable/messaging.html#messages-on-the-shell-router-dealer-channel
 */

import type { OkReply } from './reply.ts'

/** Values by MIME type: text, or JSON for `application/json` and `+json` types; binary types are base64. */
export type MimeBundle = Record<string, unknown>

export interface ExecuteRequest {
  code: string
  /** No output on IOPub beside status and errors, no history, no counter. */
  silent: boolean
  /** Always false when `silent`. */
  store_history: boolean
  /** Evaluated after the code; results in the reply. */
  user_expressions: Record<string, string>
  allow_stdin: boolean
  /** After an error, abort what is queued behind. */
  stop_on_error: boolean
}

export interface ExecuteOk extends OkReply {
  execution_count: number
  /** Deprecated by the specification, yet still how a kernel asks a console to exit. */
  payload?: Record<string, unknown>[]
  user_expressions: Record<string, unknown>
}

export interface InspectRequest {
  code: string
  cursor_pos: number
  detail_level: 0 | 1
}

export interface InspectOk extends OkReply {
  found: boolean
  data: MimeBundle
  metadata: Record<string, unknown>
}

export interface CompleteRequest {
  code: string
  cursor_pos: number
}

export interface CompleteOk extends OkReply {
  matches: string[]
  cursor_start: number
  cursor_end: number
  metadata: Record<string, unknown>
}

export interface HistoryRequest {
  /** Also return outputs. */
  output: boolean
  raw: boolean
  hist_access_type: 'range' | 'tail' | 'search'
  /** Range: counts sessions; 0 is this one, negative ones count back from it. */
  session?: number
  start?: number
  /** Exclusive. */
  stop?: number
  /** Tail, search: at most so many entries. */
  n?: number
  /** Search: a glob. */
  pattern?: string
  unique: boolean
}

/** Session, line, and input or [input, output]. */
export type HistoryEntry = [session: number, line: number, source: string | [input: string, output: string | null]]

export interface HistoryOk extends OkReply {
  history: HistoryEntry[]
}

export interface IsCompleteRequest {
  code: string
}

/** This reply's status is its answer. */
export interface IsCompleteReply {
  status: 'complete' | 'incomplete' | 'invalid' | 'unknown'
  /** With `incomplete`: what to begin the next line with. */
  indent?: string
}

/** Ports of the kernel's sockets. Deprecated by the specification since 5.1, still answered. */
export interface ConnectOk extends OkReply {
  shell_port: number
  iopub_port: number
  stdin_port: number
  hb_port: number
  control_port?: number
}

export interface CommInfoRequest {
  /** Only comms of this target. */
  target_name?: string
}

export interface CommInfoOk extends OkReply {
  comms: Record<string, { target_name: string }>
}

export interface LanguageInfo {
  name: string
  version: string
  mimetype: string
  /** With its dot. */
  file_extension: string
  pygments_lexer?: string
  codemirror_mode?: string | Record<string, unknown>
  nbconvert_exporter?: string
}

export interface KernelInfoOk extends OkReply {
  protocol_version: string
  implementation: string
  implementation_version: string
  language_info: LanguageInfo
  banner: string
  /** Superseded by `supported_features`, still read by clients. */
  debugger?: boolean
  help_links?: { text: string; url: string }[]
  /** JEP 92: `debugger`, `kernel subshells`… */
  supported_features?: string[]
}
