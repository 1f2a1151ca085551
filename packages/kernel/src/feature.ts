import type { RequestContext } from './request-context.ts'

/** The content of a reply; without a `status` it is `ok`. */
export type ReplyContent = object

/** Takes a request's validated content, gives the reply's. A throw becomes an error reply; one-way messages return nothing. */
export type Handler<C = Record<string, unknown>> = (
  content: C,
  context: RequestContext,
) => ReplyContent | undefined | Promise<ReplyContent | undefined>

/** Handlers by message type. */
export type HandlerTable = Readonly<Record<string, Handler>>

/** The door for message types the kernel does not know itself: tools, templates, models, memory, context… */
export interface KernelFeature {
  readonly name: string
  /** By message type (`tool_request`). Types that the kernel or another feature answers are refused at composition. */
  readonly handlers: { readonly shell?: HandlerTable; readonly control?: HandlerTable }
  /** Added to kernel_info's `supported_features`. */
  readonly supportedFeatures?: readonly string[]
  dispose?(): void | Promise<void>
}
