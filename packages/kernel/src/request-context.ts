import type { Header, Message, Peer } from '@llmspell/jupyter'

/** What a handler knows of the request it answers; travels as a value, never through a shared variable. */
export interface RequestContext {
  readonly channel: 'shell' | 'control'
  readonly message: Message
  /** Routing of the client that asked. */
  readonly peer: Peer
  /** Jupyter session id of the client that asked. */
  readonly session: string
  /** Aborted when the kernel stops or restarts. */
  readonly signal: AbortSignal
  /** Publishes on IOPub with this request as parent. */
  publish(type: string, content: Record<string, unknown>, options?: PublishOptions): void
}

export interface PublishOptions {
  metadata?: Record<string, unknown>
  buffers?: readonly Uint8Array[]
}

/** Names a request after it is gone: what late output needs. */
export interface RequestOrigin {
  readonly header: Header
  readonly peer: Peer
}
