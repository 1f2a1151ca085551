import { LlmspellError } from '@llmspell/base'
import * as v from 'valibot'
import type { Message } from '../message.ts'
import { type ContentOf, isMessageType, type MessageOf, type MessageType } from '../messages/map.ts'
import { SCHEMAS } from './schemas.ts'

/**
 * The content of a received message as the map types it, with optional fields filled in. Unknown keys are kept.
 * Throws `wire.invalid_content` with the path of what is wrong: `data: { msg_type, path, expected, received }`.
 */
export function parseContent<T extends MessageType>(type: T, content: unknown): ContentOf<T> {
  const result = v.safeParse(SCHEMAS[type] as v.GenericSchema<unknown, ContentOf<T>>, content, { abortEarly: true })
  if (result.success) return result.output
  const issue = result.issues[0]
  const path = v.getDotPath(issue) ?? ''
  const place = path === '' ? 'content' : `content.${path}`
  const missing = issue.received === 'undefined'
  const expected = missing ? 'a value' : (issue.expected ?? 'something else')
  const received = shorten(issue.received)
  throw new LlmspellError(`${type}: ${place} ${missing ? 'is missing' : `must be ${expected}, not ${received}`}`, {
    code: 'wire.invalid_content',
    data: { msg_type: type, path, expected, received },
  })
}

/** The offending value may be as long as a message. */
function shorten(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`
}

/** The message with its content parsed; messages of unknown types are returned as they are. Throws like {@link parseContent}. */
export function parseMessage(message: Message): Message | (Message & MessageOf<MessageType>) {
  const type = message.header.msg_type
  if (!isMessageType(type)) return message
  return { ...message, content: parseContent(type, message.content) } as Message & MessageOf<MessageType>
}
