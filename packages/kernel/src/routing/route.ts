import type { ContentOf, MessageType } from '@llmspell/jupyter'
import { parseContent } from '@llmspell/jupyter/validation'
import type { Handler, HandlerTable, ReplyContent } from '../feature.ts'
import type { RequestContext } from '../request-context.ts'
import type { Envelope } from './envelope.ts'

/** One row of a channel's table: takes content as it arrived. */
export type Route =
  | {
      answer(content: Record<string, unknown>, context: RequestContext): ReplyContent | undefined | Promise<ReplyContent | undefined>
      /** Does not count as work for the idle time-out. */
      poll?: boolean
      /** On control: others do not wait for its answer. */
      beside?: boolean
    }
  | {
      /** Opens and closes the envelope itself, when its turn comes. */
      enqueue(content: Record<string, unknown>, envelope: Envelope): void
    }

export type RouteTable = Readonly<Record<string, Route>>

/** A row whose handler sees validated content; malformed content is answered with the path of what is wrong. */
export function route<T extends MessageType>(
  type: T,
  handler: Handler<ContentOf<T>>,
  options?: { poll?: boolean; beside?: boolean },
): Route {
  return { answer: (content, context) => handler(parseContent(type, content), context), ...options }
}

/** As `route`, for requests that wait their turn in a queue of their own. */
export function queuedRoute<T extends MessageType>(type: T, enqueue: (content: ContentOf<T>, envelope: Envelope) => void): Route {
  return { enqueue: (content, envelope) => enqueue(parseContent(type, content), envelope) }
}

/** Rows of a feature: its handlers read their content themselves. */
export function featureRoutes(handlers: HandlerTable): RouteTable {
  return Object.fromEntries(Object.entries(handlers).map(([type, handler]) => [type, { answer: handler }]))
}
