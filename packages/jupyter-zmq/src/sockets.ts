import type { Disposable } from '@llmspell/base'
import type { ConnectionInfo } from '@llmspell/jupyter'

export type Frames = readonly Uint8Array[]

/** ROUTER for shell, control and stdin; XPUB for IOPub; REP (an echo) for the heartbeat. */
export type ServerKind = 'router' | 'xpub' | 'echo'

/** Sends to the subscriber a subscription came from; libzmq, which does not tell who that is, sends to all. */
export type SubscriptionReply = (frames: Frames) => void

/** One bound socket of a kernel. What two implementations share: libzmq's addon and our own ZMTP. */
export interface ServerSocket {
  /** As bound, with the port the system chose. */
  readonly endpoint: string
  /** Begins to deliver; before it nothing is read. Router: identity first. Xpub: one frame, 1 and the topic. Echo: never called. */
  start(receive: (frames: Uint8Array[], reply: SubscriptionReply) => void): void
  /**
   * Queues; never throws. `droppable`: may be withheld from a subscriber that has taken nothing for too long.
   * False when it names a peer that is known not to be there.
   */
  send(frames: Frames, droppable: boolean): boolean
  /** Router, where it is known: a peer's connection has closed and no other took its name. */
  onGone?(listener: (identity: Uint8Array) => void): Disposable
  /** Xpub, where it is known. */
  readonly subscribers?: number
  /** Bytes queued and not yet taken by the carrier. */
  readonly backlog: number
  flushed(): Promise<void>
  /** Sends what is queued for at most `lingerMs`, then closes. */
  close(lingerMs: number): Promise<void>
}

export interface ServerSockets {
  bind(kind: ServerKind, endpoint: string): Promise<ServerSocket>
}

/** DEALER for shell, control, stdin and the heartbeat (with REQ's empty frame); SUB, to everything, for IOPub; REQ for registrations. */
export type ClientKind = 'dealer' | 'sub' | 'req'

export interface ClientSocket {
  send(frames: Frames): void
  /** Settles when the connection that stood is lost, or could not be made in time. */
  readonly lost: Promise<Error>
  close(lingerMs: number): Promise<void>
}

export interface ClientSockets {
  connect(kind: ClientKind, endpoint: string, receive: (frames: Uint8Array[]) => void): ClientSocket
}

export type CurveKeys = Pick<ConnectionInfo, 'curve_publickey' | 'curve_secretkey'>
