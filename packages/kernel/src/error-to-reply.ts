import { LlmspellError, messageOf } from '@llmspell/base'
import type { ScriptError } from '@llmspell/script'

export interface ErrorContent {
  ename: string
  evalue: string
  traceback: string[]
}

export type ErrorReplyContent = ErrorContent & { status: 'error'; llmspell?: Record<string, unknown> }

/** Names of local errors on the wire; a code that is not listed goes by the error's own name. */
const WIRE_NAMES: Readonly<Record<string, string>> = {
  'kernel.invalid_request': 'InvalidRequest',
  'kernel.unknown_request': 'UnknownRequest',
  'kernel.not_supported': 'NotSupported',
  'kernel.stopped': 'KernelStopped',
  'kernel.restarted': 'KernelRestarted',
  'kernel.queue_full': 'QueueFull',
  'kernel.unknown_magic': 'UnknownMagic',
  'wire.invalid_content': 'InvalidRequest',
}

/** The one mapping from what was thrown on the kernel's side to what a client reads. */
export function errorToReply(thrown: unknown): ErrorReplyContent {
  const ours = LlmspellError.is(thrown) ? thrown : undefined
  const ename = (ours && WIRE_NAMES[ours.code]) ?? (thrown instanceof Error ? thrown.name : 'Error')
  const evalue = messageOf(thrown) + (ours?.hint ? ` (${ours.hint})` : '')
  return {
    status: 'error',
    ename,
    evalue,
    traceback: [`${RED}${ename}${RESET}: ${evalue}`],
    ...(ours && { llmspell: { code: ours.code, data: ours.data, ...(ours.hint !== undefined && { hint: ours.hint }) } }),
  }
}

/** As `errorToReply`, for an error that stands where a script's would: in the outcome of an execution. */
export function errorToScriptError(thrown: unknown): ScriptError {
  const { ename, evalue } = errorToReply(thrown)
  return { ename, evalue, traceback: [`${ename}: ${evalue}`] }
}

/** An engine's error as `error` on IOPub and execute_reply carry it: the traceback coloured as notebooks and consoles show it. */
export function scriptErrorToContent(error: ScriptError): ErrorContent {
  const { ename, evalue } = error
  const traceback = error.traceback.flatMap((entry) => entry.split('\n')).map((line) => colour(line, ename))
  if (traceback.length === 0) traceback.push(`${RED}${ename}${RESET}: ${evalue}`)
  if (error.engineLost) traceback.push(`${DIM}The variables of this namespace are lost; what is in State is not.${RESET}`)
  return { ename, evalue, traceback }
}

const RED = '\u001b[31m'
const DIM = '\u001b[2m'
const RESET = '\u001b[0m'

function colour(line: string, ename: string): string {
  if (line.startsWith(ename)) return `${RED}${ename}${RESET}${line.slice(ename.length)}`
  return /^\s/.test(line) ? `${DIM}${line}${RESET}` : line
}
