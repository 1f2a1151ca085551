import { type ContentOf, type ErrorContent, isMessage, type Message, type MimeBundle } from '@llmspell/jupyter'

/** What one execution put on IOPub, in order. */
export type Output =
  | { type: 'stream'; name: 'stdout' | 'stderr'; text: string }
  | Display<'display_data'>
  | Display<'update_display_data'>
  | { type: 'execute_result'; data: MimeBundle; metadata: Record<string, unknown>; executionCount: number }
  | ({ type: 'error' } & ErrorContent)
  | { type: 'clear_output'; wait: boolean }

interface Display<T extends string> {
  type: T
  data: MimeBundle
  metadata: Record<string, unknown>
  /** What later updates of this display name it by. */
  displayId: string | undefined
}

/** `undefined` for messages that are no output: status, execute_input, comms. */
export function outputOf(message: Message): Output | undefined {
  if (isMessage(message, 'stream')) return { type: 'stream', name: message.content.name, text: message.content.text }
  if (isMessage(message, 'execute_result')) {
    const { data, metadata, execution_count: executionCount } = message.content
    return { type: 'execute_result', data, metadata, executionCount }
  }
  if (isMessage(message, 'display_data')) return display('display_data', message.content)
  if (isMessage(message, 'update_display_data')) return display('update_display_data', message.content)
  if (isMessage(message, 'error')) {
    const { ename, evalue, traceback } = message.content
    return { type: 'error', ename, evalue, traceback }
  }
  if (isMessage(message, 'clear_output')) return { type: 'clear_output', wait: message.content.wait }
  return undefined
}

function display<T extends 'display_data' | 'update_display_data'>(type: T, content: ContentOf<T>): Display<T> {
  return { type, data: content.data, metadata: content.metadata, displayId: content.transient?.display_id }
}
