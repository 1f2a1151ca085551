export {
  type ConnectionInfo,
  endpointOf,
  parseConnectionFile,
  SOCKET_NAMES,
  type SocketName,
  serializeConnectionFile,
} from './connection-file.ts'
export type {
  DebugServerEndpoint,
  ExecuteExtension,
  InterruptExtension,
  KernelRecord,
  KernelStatusReply,
  LanguageExtension,
  ShutdownExtension,
  StartDebugServerReply,
  StartDebugServerRequest,
  StopDebugServerReply,
  VariablesReply,
} from './extensions.ts'
export { type Kernelspec, parseKernelspec, serializeKernelspec } from './kernelspec.ts'
export { createMemoryTransport } from './memory-transport.ts'
export { type Channel, type Header, type Message, PROTOCOL_VERSION } from './message.ts'
export type { CommClose, CommMsg, CommOpen } from './messages/comm.ts'
export type {
  CreateSubshellOk,
  DebugReply,
  DebugRequest,
  DeleteSubshellRequest,
  ListSubshellOk,
  ShutdownOk,
  ShutdownRequest,
  UsageReply,
} from './messages/control.ts'
export type {
  ClearOutputContent,
  DebugEventContent,
  DisplayContent,
  ErrorContent,
  ExecuteInputContent,
  ExecuteResultContent,
  IopubWelcomeContent,
  StatusContent,
  StreamContent,
  UpdateDisplayContent,
} from './messages/iopub.ts'
export {
  CHANNELS,
  type ChannelOf,
  type ContentOf,
  isMessage,
  isMessageType,
  type MessageMap,
  type MessageOf,
  type MessageType,
  type ReplyTypeOf,
  type RequestType,
  replyTypeOf,
} from './messages/map.ts'
export type { AbortedReply, ErrorReply, OkReply, Reply } from './messages/reply.ts'
export type {
  CommInfoOk,
  CommInfoRequest,
  CompleteOk,
  CompleteRequest,
  ConnectOk,
  ExecuteOk,
  ExecuteRequest,
  HistoryEntry,
  HistoryOk,
  HistoryRequest,
  InspectOk,
  InspectRequest,
  IsCompleteReply,
  IsCompleteRequest,
  KernelInfoOk,
  LanguageInfo,
  MimeBundle,
} from './messages/shell.ts'
export type { InputReply, InputRequest } from './messages/stdin.ts'
export { codePointLength, toCodePointOffset, toUtf16Offset } from './positions.ts'
export { type HandshakeReply, type HandshakeRequest, parseRegistrationFile, type RegistrationInfo } from './registration.ts'
export { scriptLanguage } from './script-language.ts'
export { type MessageOptions, Session } from './session.ts'
export type { ClientTransport, IncomingMessage, KernelTransport, Peer } from './transport.ts'
export { decodeWebSocket, encodeWebSocket, WEBSOCKET_SUBPROTOCOL, type WebSocketProtocol } from './websocket.ts'
export {
  type AnswerableRequest,
  answerableRequest,
  type Decoded,
  type Signer,
  unsigned,
  WireCodec,
  type WireErrorCode,
  type WireOptions,
} from './wire.ts'
