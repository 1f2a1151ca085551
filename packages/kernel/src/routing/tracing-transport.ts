import type { Logger } from '@llmspell/base'
import type { KernelTransport, Message } from '@llmspell/jupyter'

/** The same transport, with every message logged on its way (`LLMSPELL_TRACE=jupyter`). */
export function tracingTransport(transport: KernelTransport, logger: Logger): KernelTransport {
  const trace = (direction: 'in' | 'out', { channel, header, parent_header, content }: Message<object>): void =>
    logger.log('trace', `${direction} ${channel} ${header.msg_type}`, {
      msg_id: header.msg_id,
      ...(parent_header.msg_id !== undefined && { parent: parent_header.msg_id }),
      // What people type may be a password; a token is one.
      ...(header.msg_type !== 'input_reply' && header.msg_type !== 'start_debug_server_reply' && { content }),
    })
  return {
    onMessage: (listener) =>
      transport.onMessage((incoming) => {
        trace('in', incoming.message)
        listener(incoming)
      }),
    send(channel, peer, message) {
      trace('out', message)
      transport.send(channel, peer, message)
    },
    publish(topic, message) {
      trace('out', message)
      transport.publish(topic, message)
    },
    get backlog() {
      return transport.backlog
    },
    get subscribers() {
      return transport.subscribers
    },
    onUndeliverable: (listener) => transport.onUndeliverable?.(listener) ?? { dispose() {} },
    onPeerGone: (listener) => transport.onPeerGone?.(listener) ?? { dispose() {} },
    open: () => transport.open(),
    flushed: () => transport.flushed(),
    close: () => transport.close(),
  }
}
