import type { RequestContext } from './request-context.ts'

/** Takes a request's content, gives the reply's. A throw becomes an error reply. */
export type Handler<C = Record<string, unknown>> = (
  content: C,
  context: RequestContext,
) => Record<string, unknown> | Promise<Record<string, unknown>>

/** The door for message types the kernel does not know itself: tools, templates, models, memory, context… */
export interface KernelFeature {
  readonly name: string
  /** By message type (`tool_request`). Types that the kernel or another feature answers are refused at composition. */
  readonly handlers: { readonly shell?: Readonly<Record<string, Handler>>; readonly control?: Readonly<Record<string, Handler>> }
  /** Added to kernel_info's `supported_features`. */
  readonly supportedFeatures?: readonly string[]
  dispose?(): void | Promise<void>
}
