import { stripVTControlCharacters } from 'node:util'
import { LlmspellError } from '@llmspell/base'
import { errorOf } from '../command/run-command.ts'

/** Lines of `llmspell run --json` and `exec --json`: the contents of Jupyter's messages under their own names. */
export type ExecEvent =
  | { readonly type: 'start'; readonly execution: string; readonly kernel: { readonly id?: string } }
  | { readonly type: 'stream'; readonly name: 'stdout' | 'stderr'; readonly text: string }
  | { readonly type: 'execute_result'; readonly data: MimeBundle; readonly execution_count: number }
  | { readonly type: 'display_data' | 'update_display_data'; readonly data: MimeBundle; readonly display_id?: string }
  | { readonly type: 'clear_output'; readonly wait: boolean }
  | { readonly type: 'error'; readonly ename: string; readonly evalue: string; readonly traceback: readonly string[] }
  | { readonly type: 'page'; readonly data: MimeBundle }
  | { readonly type: 'end'; readonly status: string; readonly exitCode: number }

export type MimeBundle = Readonly<Record<string, unknown>>

/** Throws what the command says instead of an event: that there is no kernel, that it died. */
export function parseEvent(line: string): ExecEvent | undefined {
  if (line.trim() === '') return undefined
  let event: unknown
  try {
    event = JSON.parse(line)
  } catch (cause) {
    throw new LlmspellError(line, { code: 'vscode.unknown_answer', cause })
  }
  const error = errorOf(event)
  if (error) throw new LlmspellError(error.message, { code: error.code, ...(error.hint === undefined ? {} : { hint: error.hint }) })
  return event as ExecEvent
}

/** An event as plain text, for an output channel; empty for what has none. */
export function textOf(event: ExecEvent): string {
  switch (event.type) {
    case 'stream':
      return event.text
    case 'execute_result':
    case 'display_data':
    case 'page':
      return `${plain(event.data)}\n`
    case 'error':
      return `${stripVTControlCharacters(event.traceback.join('\n') || `${event.ename}: ${event.evalue}`)}\n`
    default:
      return ''
  }
}

function plain(data: MimeBundle): string {
  const text = data['text/plain']
  return stripVTControlCharacters(typeof text === 'string' ? text : `<${Object.keys(data).join(', ')}>`)
}
