import type { Message, Peer } from '@llmspell/jupyter'
import type { PublishOptions } from './iopub/publisher.ts'

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
  publish(type: string, content: object, options?: PublishOptions): void
  /** Runs once the reply and `idle` are on their way. */
  afterReply(run: () => void): void
}
