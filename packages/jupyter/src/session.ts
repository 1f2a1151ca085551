import type { Channel, Header, Message } from './message.ts'
import { PROTOCOL_VERSION } from './message.ts'
import { CHANNELS, type ChannelOf, type ContentOf, type MessageType } from './messages/map.ts'

export interface MessageOptions<On extends Channel = Channel> {
  /** The message this one answers or is output of. */
  parent?: { header: Header } | undefined
  metadata?: Record<string, unknown>
  buffers?: readonly Uint8Array[]
  /** Default: the usual channel of the type. */
  channel?: On
  /** JEP 91. */
  subshellId?: string
}

/** Makes messages in the name of one client or kernel: ids, dates and versions in one place. */
export class Session {
  readonly id: string
  readonly username: string
  #count = 0
  #dateAt = 0
  #date = ''

  constructor(options: { id?: string; username?: string } = {}) {
    this.id = options.id ?? uniqueId()
    this.username = options.username ?? 'username'
  }

  /** A message of a known type. */
  create<T extends MessageType>(type: T, content: ContentOf<T>, options: MessageOptions<ChannelOf<T>> = {}): Message<ContentOf<T>> {
    return this.createRaw(type, options.channel ?? CHANNELS[type][0], content as ContentOf<T> & object, options)
  }

  /** A message of any type, for what the map does not know. */
  createRaw<C extends object>(type: string, channel: Channel, content: C, options: MessageOptions = {}): Message<C> {
    return {
      channel,
      header: this.#header(type, options.subshellId),
      parent_header: options.parent?.header ?? {},
      metadata: options.metadata ?? {},
      content,
      buffers: options.buffers ?? [],
    }
  }

  #header(type: string, subshellId: string | undefined): Header {
    const header: Header = {
      msg_id: `${this.id}_${++this.#count}`,
      session: this.id,
      username: this.username,
      date: this.#now(),
      msg_type: type,
      version: PROTOCOL_VERSION,
    }
    if (subshellId !== undefined) header.subshell_id = subshellId
    return header
  }

  /** Formatting a date costs more than the rest of a header, and bursts share their millisecond. */
  #now(): string {
    const now = Date.now()
    if (now !== this.#dateAt) {
      this.#dateAt = now
      this.#date = new Date(now).toISOString()
    }
    return this.#date
  }
}

/** Names must differ, not be secret; the cryptographic generator takes milliseconds to start, which a command line would wait for. */
function uniqueId(): string {
  let id = ''
  while (id.length < 32)
    id += Math.floor(Math.random() * 0x1_0000_0000)
      .toString(16)
      .padStart(8, '0')
  return id
}
