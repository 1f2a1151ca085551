import { LlmspellError, messageOf } from '@llmspell/base'
import { type DecoderOptions, encodeMessage, MessageDecoder } from './content-length.ts'
import type { ProtocolMessage } from './protocol.ts'

/** Bytes in both directions: a socket, a process's stdin and stdout, a pair in memory. */
export interface ByteStream {
  /** Ends or throws when the other side goes away. */
  readonly input: AsyncIterable<Uint8Array>
  /** Resolves when more may be written. Never throws for a stream that is closed. */
  write(bytes: Uint8Array): Promise<void> | undefined
  close(): void
}

/** Messages over bytes. */
export interface MessageStream {
  /** Resolves when more may be sent. */
  send(message: ProtocolMessage): Promise<void> | undefined
  /**
   * Reads until the other side ends, or this one closes, which resolves; waits for what `onMessage` returns before it reads more.
   * Rejects with code `dap.bad_header`, `dap.too_large`, `dap.bad_json` for what is no message, `dap.closed` when the connection breaks
   * (also in the middle of a message).
   */
  read(onMessage: (message: unknown) => Promise<void> | undefined | void): Promise<void>
  close(): void
}

export function messageStream(stream: ByteStream, options?: DecoderOptions): MessageStream {
  const decoder = new MessageDecoder(options)
  let closed = false
  return {
    send: (message) => stream.write(encodeMessage(message)),
    async read(onMessage) {
      try {
        for await (const chunk of stream.input) {
          let wait: Promise<void> | undefined | void
          decoder.push(chunk, (message) => {
            wait = onMessage(message) ?? wait
          })
          if (wait) await wait
        }
      } catch (error) {
        if (closed) return
        if (LlmspellError.is(error)) throw error
        throw new LlmspellError(`the connection broke: ${messageOf(error)}`, { code: 'dap.closed', cause: error })
      }
      if (!decoder.idle && !closed) throw new LlmspellError('the connection ended in the middle of a message', { code: 'dap.closed' })
    },
    close() {
      closed = true
      stream.close()
    },
  }
}
