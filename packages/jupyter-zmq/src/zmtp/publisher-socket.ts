import type { Server } from 'node:net'
import type { Frames } from '../sockets.ts'
import { BaseSocket, type ZmtpServerOptions } from './base-socket.ts'
import type { Outgoing, ZmtpConnection } from './connection.ts'
import { encodeMessage, protocolError } from './framing.ts'

interface Subscriber {
  connection: ZmtpConnection
  topics: Buffer[]
  /** Its connection's `progress` at the last look, and for how long that has not changed while something waited. */
  progress: number
  quietMs: number
  /** It has taken nothing for longer than patience lasts: it no longer counts, and may miss output. */
  stalled: boolean
  withheld: number
}

/** How much of what may not be withheld is kept beyond the bound, before a stalled subscriber is disconnected. */
const STATUS_RESERVE_BYTES = 16 * 1024 * 1024
/** Looks a patience; patience is counted in looks, so that time in which this process itself was busy is not held against a peer. */
const LOOKS = 10

/**
 * XPUB with a queue for each subscriber. A slow one holds up output (its bytes are the backlog) for as long as patience
 * lasts; then the others go on, it is kept supplied up to a bound, and beyond that gets status but no output.
 */
export class PublisherSocket extends BaseSocket {
  readonly #subscribers = new Map<ZmtpConnection, Subscriber>()
  #stallTimer: ReturnType<typeof setInterval> | undefined

  constructor(server: Server, endpoint: string, options: ZmtpServerOptions) {
    super(server, endpoint, 'xpub', options)
  }

  get backlog(): number {
    let most = 0
    for (const { connection, stalled } of this.#subscribers.values()) if (!stalled) most = Math.max(most, connection.backlog)
    return most
  }

  get subscribers(): number {
    let count = 0
    for (const { topics } of this.#subscribers.values()) if (topics.length > 0) count++
    return count
  }

  send(frames: Frames, droppable: boolean): boolean {
    let outgoing: Outgoing | undefined
    for (const subscriber of this.#subscribers.values()) {
      if (!subscribes(subscriber, frames[0] as Uint8Array)) continue
      outgoing ??= { ...encodeMessage(frames), droppable }
      this.#offer(subscriber, outgoing)
    }
    return true
  }

  async flushed(): Promise<void> {
    const waits: Promise<void>[] = []
    for (const { connection, stalled } of this.#subscribers.values()) if (!stalled && connection.backlog > 0) waits.push(connection.taken())
    await Promise.all(waits)
  }

  override async close(lingerMs: number): Promise<void> {
    clearInterval(this.#stallTimer)
    this.#stallTimer = undefined
    await super.close(lingerMs)
  }

  #offer(subscriber: Subscriber, outgoing: Outgoing): void {
    const { connection } = subscriber
    if (subscriber.stalled) {
      const room = this.options.maxSubscriberBytes - connection.backlog
      if (outgoing.droppable && outgoing.bytes > room) {
        subscriber.withheld++
        return
      }
      if (outgoing.bytes > room + STATUS_RESERVE_BYTES) {
        this.options.logger.log('warn', 'a subscriber that does not read was disconnected', { bytes: connection.backlog })
        connection.destroy()
        return
      }
    }
    connection.send(outgoing)
    this.#watchStalls()
  }

  #watchStalls(): void {
    this.#stallTimer ??= setInterval(() => this.#checkStalls(), this.options.patienceMs / LOOKS).unref()
  }

  #checkStalls(): void {
    let watching = false
    for (const subscriber of this.#subscribers.values()) {
      const { connection } = subscriber
      const quiet = connection.backlog > 0 && connection.progress === subscriber.progress
      subscriber.progress = connection.progress
      subscriber.quietMs = quiet ? subscriber.quietMs + this.options.patienceMs / LOOKS : 0
      const stalled = subscriber.quietMs >= this.options.patienceMs
      if (stalled && !subscriber.stalled) {
        this.options.logger.log('warn', 'a subscriber takes no output; the others go on without it', { bytes: connection.backlog })
        connection.giveUpWaiting()
      } else if (!stalled && subscriber.stalled && subscriber.withheld > 0) {
        this.options.logger.log('warn', 'a subscriber reads again; it has missed output', { messages: subscriber.withheld })
        subscriber.withheld = 0
      }
      subscriber.stalled = stalled
      watching ||= connection.backlog > 0
    }
    if (watching) return
    clearInterval(this.#stallTimer)
    this.#stallTimer = undefined
  }

  protected override onReady(connection: ZmtpConnection): void {
    this.#subscribers.set(connection, { connection, topics: [], progress: 0, quietMs: 0, stalled: false, withheld: 0 })
  }

  /** ZMTP 3.0: a message of one frame, 1 or 0 and the topic. */
  protected onMessage(connection: ZmtpConnection, frames: Buffer[]): void {
    const frame = frames[0]
    if (frames.length !== 1 || !frame) return
    if (frame[0] === 1) this.#subscribe(connection, frame.subarray(1))
    else if (frame[0] === 0) this.#cancel(connection, frame.subarray(1))
  }

  /** ZMTP 3.1: commands. */
  protected override onCommand(connection: ZmtpConnection, name: string, body: Buffer): void {
    if (name === 'SUBSCRIBE') this.#subscribe(connection, body)
    else if (name === 'CANCEL') this.#cancel(connection, body)
  }

  protected override onClosed(connection: ZmtpConnection): void {
    this.#subscribers.delete(connection)
  }

  #subscribe(connection: ZmtpConnection, received: Buffer): void {
    const subscriber = this.#subscribers.get(connection)
    if (!subscriber) return
    if (received.length > MAX_TOPIC_BYTES || subscriber.topics.length >= MAX_TOPICS) {
      // Ignored, it would wait for what never comes.
      connection.destroy(protocolError(`a subscriber may have ${MAX_TOPICS} topics of ${MAX_TOPIC_BYTES} octets`))
      return
    }
    const topic = Buffer.from(received)
    subscriber.topics.push(topic)
    this.receive?.([Buffer.concat([SUBSCRIBED, topic])], (frames) => connection.send({ ...encodeMessage(frames), droppable: false }))
  }

  #cancel(connection: ZmtpConnection, topic: Buffer): void {
    const topics = this.#subscribers.get(connection)?.topics
    const at = topics?.findIndex((own) => own.equals(topic)) ?? -1
    if (at >= 0) topics?.splice(at, 1)
  }
}

const SUBSCRIBED = Buffer.from([1])
const MAX_TOPICS = 1000
/** Topics are names of kernels and kinds of messages. */
const MAX_TOPIC_BYTES = 4096

function subscribes({ topics }: Subscriber, topic: Uint8Array): boolean {
  for (const prefix of topics) if (prefix.length === 0 || startsWith(topic, prefix)) return true
  return false
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  if (prefix.length > bytes.length) return false
  for (let i = 0; i < prefix.length; i++) if (bytes[i] !== prefix[i]) return false
  return true
}
