/**
 * The shape every Jupyter message has, whatever carries it.
 * https://jupyter-client.readthedocs.io/en/stable/messaging.html#general-message-format
 */

export const PROTOCOL_VERSION = '5.5'

export type Channel = 'shell' | 'control' | 'iopub' | 'stdin'

export interface Header {
  msg_id: string
  session: string
  username: string
  /** ISO 8601 with time zone. */
  date: string
  msg_type: string
  version: string
  /** JEP 91. */
  subshell_id?: string | null
}

export interface Message<C = Record<string, unknown>> {
  channel: Channel
  /** Never changed once sent or received: its encoded bytes are kept for the messages it becomes the parent of. */
  header: Header
  /** Empty for messages that answer nothing. */
  parent_header: Header | Record<string, never>
  metadata: Record<string, unknown>
  content: C
  /** Binary buffers, as received; never copied. */
  buffers: readonly Uint8Array[]
}
