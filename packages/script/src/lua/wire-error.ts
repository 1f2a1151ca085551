import { codeOf, LlmspellError, messageOf } from '@llmspell/base'
import type { WireError } from './protocol.ts'

/** What of an error crosses to the script's thread: plain data that a message port can carry. */
export function toWireError(error: unknown): WireError {
  const code = codeOf(error)
  if (!LlmspellError.is(error)) return { message: messageOf(error), ...(code !== undefined && { code }) }
  return { message: error.message, code: error.code, data: plain(error.data), ...(error.hint !== undefined && { hint: error.hint }) }
}

function plain(data: unknown): unknown {
  try {
    return structuredClone(data)
  } catch {
    return {}
  }
}
