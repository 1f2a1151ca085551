import type { Disposable } from '@llmspell/base'
import type { Channel, Message } from './message.ts'

/** Who sent a request: opaque routing frames of the carrier (ZeroMQ identities, a WebSocket id…). */
export type Peer = readonly Uint8Array[]

export interface IncomingMessage {
  channel: Channel
  message: Message
  peer: Peer
}

/**
 * The kernel's end of a carrier. Frames were decoded, authenticated and validated before `onMessage`;
 * what failed that was dropped and counted, with a log line, by the carrier; an authentic request among it was answered
 * with an error.
 */
export interface KernelTransport {
  /** Listeners must be set before `open`; messages of one channel arrive in order. */
  onMessage(listener: (incoming: IncomingMessage) => void): Disposable
  /** Starts to receive. All channels are bound before the first message is delivered. */
  open(): Promise<void>
  /** Queues a reply or an input_request for one peer. Never throws; after `close` it is a no-op. */
  send(channel: 'shell' | 'control' | 'stdin', peer: Peer, message: Message<object>): void
  /** Queues a message for all subscribers of IOPub, in order. `topic` is the ZeroMQ subscription prefix. */
  publish(topic: string, message: Message<object>): void
  /** Bytes accepted by `publish` and not yet taken by the carrier: what the publisher's back-pressure looks at. */
  readonly backlog: number
  /** Subscriptions to IOPub that stand now, where the carrier knows. */
  readonly subscribers?: number | undefined
  /** Where the carrier knows: a message for one peer found nobody there. The peer may be gone, or not there yet. */
  onUndeliverable?(listener: (peer: Peer, message: Message<object>) => void): Disposable
  /** Where the carrier knows: a peer has left its stdin channel, so that it will answer nothing it was asked there. */
  onPeerGone?(listener: (peer: Peer) => void): Disposable
  /** Resolves once what was published before the call has been taken by the carrier. */
  flushed(): Promise<void>
  /** Sends what is queued (bounded by its own deadline), then closes. Idempotent. */
  close(): Promise<void>
}

/** The client's end of a carrier to one kernel. */
export interface ClientTransport {
  onMessage(listener: (message: Message) => void): Disposable
  /** Connects; resolves when the IOPub subscription stands (iopub_welcome, or a kernel_info probe towards old kernels). */
  open(): Promise<void>
  send(channel: 'shell' | 'control' | 'stdin', message: Message<object>): void
  /** Round trip of the heartbeat in milliseconds; rejects with code `timeout`, or `transport.closed` when the kernel is gone. Carriers without one answer from their link state. */
  ping(timeoutMs: number): Promise<number>
  /** Settles when the carrier is gone, with the reason when it was not `close()`. */
  readonly closed: Promise<Error | undefined>
  close(): Promise<void>
}
