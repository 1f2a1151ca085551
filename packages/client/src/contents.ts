/**
 * Contents of the messages a client sends and gets, as far as this package reads them.
 * https://jupyter-client.readthedocs.io/en/stable/messaging.html
 */

/** Languages of an llmspell kernel; other kernels ignore the choice. */
export type Language = 'lua' | 'javascript' | 'typescript'

export interface ErrorContent {
  ename: string
  evalue: string
  traceback: string[]
}

/** What one execution put on IOPub, in order. */
export type Output =
  | { type: 'stream'; name: 'stdout' | 'stderr'; text: string }
  | { type: 'display_data'; data: MimeBundle; metadata: Record<string, unknown>; displayId: string | undefined }
  | { type: 'update_display_data'; data: MimeBundle; metadata: Record<string, unknown>; displayId: string | undefined }
  | { type: 'execute_result'; data: MimeBundle; metadata: Record<string, unknown>; executionCount: number }
  | ({ type: 'error' } & ErrorContent)
  | { type: 'clear_output'; wait: boolean }

export type MimeBundle = Readonly<Record<string, unknown>>

export type ExecuteReply =
  | { status: 'ok'; execution_count: number; user_expressions?: Record<string, unknown>; payload?: Record<string, unknown>[] }
  | ({ status: 'error'; execution_count?: number } & ErrorContent)
  | { status: 'aborted' }

export interface KernelInfo {
  status: 'ok'
  protocol_version: string
  implementation: string
  implementation_version: string
  language_info: { name: string; version: string; mimetype?: string; file_extension?: string } & Record<string, unknown>
  banner: string
  supported_features?: string[]
}

export interface CompleteResult {
  matches: string[]
  /** UTF-16 offsets into the code that was asked about. */
  start: number
  end: number
  metadata: Record<string, unknown>
}

export interface InspectResult {
  found: boolean
  data: MimeBundle
}

export interface IsCompleteResult {
  status: 'complete' | 'incomplete' | 'invalid' | 'unknown'
  /** What the next line should start with, for `incomplete`. */
  indent: string
}

export type HistoryQuery =
  | { access: 'tail'; n: number; unique?: boolean }
  | { access: 'search'; pattern: string; n?: number; unique?: boolean }
  | { access: 'range'; session: number; start: number; stop: number }

export interface HistoryItem {
  session: number
  line: number
  source: string
}
