export type {
  ExecuteExtension,
  InterruptExtension,
  KernelRecord,
  KernelStatusReply,
  LanguageExtension,
  ShutdownExtension,
  VariablesReply,
} from './extensions.ts'
export { type Channel, type Header, type Message, PROTOCOL_VERSION } from './message.ts'
export type { ClientTransport, IncomingMessage, KernelTransport, Peer } from './transport.ts'
