import { codeOf, LlmspellError, messageOf } from '@llmspell/base'
import type { Dap, ErrorAnswer } from '@llmspell/dap'

/** Numbers of errors in DAP's `body.error.id`: never reused for another meaning. */
const ids: Readonly<Record<string, number>> = {
  'debug.bad_request': 1001,
  'debug.wrong_state': 1002,
  'debug.not_attached': 1003,
  'debug.not_stopped': 1004,
  'debug.stale_reference': 1005,
  'debug.unknown_thread': 1006,
  'debug.unknown_source': 1007,
  'debug.evaluation_failed': 1008,
  'debug.not_supported': 1009,
  'debug.observer': 1010,
  'debug.launch_failed': 1011,
  'debug.engine_gone': 1012,
  'dap.bad_arguments': 1020,
  'dap.unknown_command': 1021,
}
const UNEXPECTED = 1000

/** Failures of these are a person's business; those of the others are shown where their answer would have been. */
const shown = new Set([
  'launch',
  'attach',
  'restart',
  'disconnect',
  'terminate',
  'pause',
  'continue',
  'next',
  'stepIn',
  'stepOut',
  'stepBack',
])

/** A client must be able to show it. */
const LONGEST = 4000

/** The one place where errors become answers of the Debug Adapter Protocol. */
export function errorAnswer(thrown: unknown, request: Dap.Request): ErrorAnswer {
  const code = codeOf(thrown) ?? ''
  const message = cut(messageOf(thrown))
  const hint = LlmspellError.is(thrown) ? thrown.hint : undefined
  const text = hint === undefined ? message : `${message}\n${hint}`
  return {
    message: code === 'debug.not_stopped' ? 'notStopped' : message,
    error: {
      id: ids[code] ?? UNEXPECTED,
      // Braces stand for variables in a format.
      ...(text.includes('{') ? { format: '{text}', variables: { text } } : { format: text }),
      showUser: shown.has(request.command) && code !== 'debug.not_stopped',
    },
  }
}

function cut(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`
}
