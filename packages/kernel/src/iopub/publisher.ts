import type { Header, KernelTransport, Session } from '@llmspell/jupyter'

export interface PublishOptions {
  metadata?: Record<string, unknown>
  buffers?: readonly Uint8Array[]
}

/** The only way onto IOPub: one ordered queue, each message with the parent it belongs to. */
export class Publisher {
  readonly #transport: KernelTransport
  readonly #session: Session
  readonly #topic: string
  published = 0

  constructor(transport: KernelTransport, session: Session, kernelId: string) {
    this.#transport = transport
    this.#session = session
    this.#topic = `kernel.${kernelId}.`
  }

  /** `parent` is undefined for what no request caused. */
  publish(type: string, content: object, parent: Header | undefined, options?: PublishOptions): void {
    this.published++
    const message = this.#session.createRaw(type, 'iopub', content, { ...options, parent: parent && { header: parent } })
    this.#transport.publish(this.#topic + type, message)
  }

  status(state: 'starting' | 'busy' | 'idle', parent: Header | undefined): void {
    this.publish('status', { execution_state: state }, parent)
  }
}
