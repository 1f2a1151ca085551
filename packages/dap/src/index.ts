export { adapterCapabilities } from './adapter-capabilities.ts'
export { type ByteStream, type MessageStream, messageStream } from './byte-stream.ts'
export { checkArguments, isKnownCommand } from './check-arguments.ts'
export { type ClientOptions, DapClient, type WaitOptions } from './client.ts'
export { type DecoderOptions, encodeMessage, MessageDecoder } from './content-length.ts'
export {
  describeError,
  Endpoint,
  type EndpointOptions,
  type ErrorAnswer,
  type Handlers,
  type RequestContext,
  type RequestOptions,
} from './endpoint.ts'
export type * as Dap from './protocol.ts'
export { traceLine } from './trace.ts'
