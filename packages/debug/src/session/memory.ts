import { LlmspellError } from '@llmspell/base'
import type { Handlers } from '@llmspell/dap'
import type { SessionContext } from './session-context.ts'
import { requireNatural } from './stack.ts'

/** Bytes of one answer. */
const MOST_BYTES = 16 * 1024 * 1024

export function memoryHandlers({ engines }: SessionContext): Pick<Handlers, 'readMemory'> {
  return {
    async readMemory({ memoryReference, offset = 0, count }) {
      requireNatural('count', count)
      const colon = memoryReference.indexOf(':')
      const ordinal = memoryReference.slice(0, Math.max(0, colon))
      const link = [...engines.links].find((each) => String(each.ordinal) === ordinal)
      if (!link)
        throw new LlmspellError(`there is no memory '${memoryReference.slice(0, 100)}'`, {
          code: 'debug.bad_request',
          data: { memoryReference: memoryReference.slice(0, 100) },
        })
      // Before the first byte nothing can be read.
      const before = Math.min(Math.max(0, -offset), count)
      if (before > 0) return { address: String(offset), unreadableBytes: before }
      const { data, unreadable } = await link.target.readMemory(memoryReference.slice(colon + 1), offset, Math.min(count, MOST_BYTES))
      return {
        address: String(offset),
        data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
        ...(unreadable > 0 && { unreadableBytes: unreadable }),
      }
    },
  }
}
