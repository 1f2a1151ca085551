import { LlmspellError } from '@llmspell/base'
import type { ContentOf } from '@llmspell/jupyter'
import { errorToReply } from '../error-to-reply.ts'
import type { Handler } from '../feature.ts'

/** A debug reply carries a DAP response; both a DAP and a Jupyter client read from it that this kernel has no debugger. */
export function debugHandler(): Handler<ContentOf<'debug_request'>> {
  return ({ seq, command }) => {
    const message = `this kernel has no debugger, so it cannot answer '${command}'`
    const error = errorToReply(new LlmspellError(message, { code: 'kernel.not_supported', data: { command } }))
    return { ...error, type: 'response', request_seq: seq, success: false, command, message }
  }
}
