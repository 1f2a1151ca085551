import type {
  KernelStatusReply,
  StartDebugServerReply,
  StartDebugServerRequest,
  StopDebugServerReply,
  VariablesReply,
} from '../extensions.ts'
import type { Channel, Header, Message } from '../message.ts'
import type { CommClose, CommMsg, CommOpen } from './comm.ts'
import type {
  CreateSubshellOk,
  DebugReply,
  DebugRequest,
  DeleteSubshellRequest,
  ListSubshellOk,
  ShutdownOk,
  ShutdownRequest,
  UsageReply,
} from './control.ts'
import type {
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
} from './iopub.ts'
import type { OkReply, Reply } from './reply.ts'
import type {
  CommInfoOk,
  CommInfoRequest,
  CompleteOk,
  CompleteRequest,
  ConnectOk,
  ExecuteOk,
  ExecuteRequest,
  HistoryOk,
  HistoryRequest,
  InspectOk,
  InspectRequest,
  IsCompleteReply,
  IsCompleteRequest,
  KernelInfoOk,
} from './shell.ts'
import type { InputReply, InputRequest } from './stdin.ts'

type Empty = Record<string, never>

interface Entry<On extends Channel, C, R> {
  channel: On
  content: C
  reply: R
}
type Request<On extends Channel, C, R> = Entry<On, C, R>
type OneWay<On extends Channel, C> = Entry<On, C, never>

/**
 * Every message of messaging 5.5 and of ours: where it travels, its content after validation (optional fields filled in),
 * and the type of its reply. The one table the router, the client and the validators are typed by.
 */
export interface MessageMap {
  execute_request: Request<'shell', ExecuteRequest, 'execute_reply'>
  execute_reply: OneWay<'shell', Reply<ExecuteOk>>
  inspect_request: Request<'shell', InspectRequest, 'inspect_reply'>
  inspect_reply: OneWay<'shell', Reply<InspectOk>>
  complete_request: Request<'shell', CompleteRequest, 'complete_reply'>
  complete_reply: OneWay<'shell', Reply<CompleteOk>>
  history_request: Request<'shell', HistoryRequest, 'history_reply'>
  history_reply: OneWay<'shell', Reply<HistoryOk>>
  is_complete_request: Request<'shell', IsCompleteRequest, 'is_complete_reply'>
  is_complete_reply: OneWay<'shell', Reply<IsCompleteReply>>
  connect_request: Request<'shell', Empty, 'connect_reply'>
  connect_reply: OneWay<'shell', Reply<ConnectOk>>
  comm_info_request: Request<'shell', CommInfoRequest, 'comm_info_reply'>
  comm_info_reply: OneWay<'shell', Reply<CommInfoOk>>
  kernel_info_request: Request<'shell' | 'control', Empty, 'kernel_info_reply'>
  kernel_info_reply: OneWay<'shell' | 'control', Reply<KernelInfoOk>>

  shutdown_request: Request<'control' | 'shell', ShutdownRequest, 'shutdown_reply'>
  /** Also broadcast on IOPub. */
  shutdown_reply: OneWay<'control' | 'shell' | 'iopub', Reply<ShutdownOk>>
  interrupt_request: Request<'control', Empty, 'interrupt_reply'>
  interrupt_reply: OneWay<'control', Reply<OkReply>>
  debug_request: Request<'control', DebugRequest, 'debug_reply'>
  debug_reply: OneWay<'control', DebugReply>
  create_subshell_request: Request<'control', Empty, 'create_subshell_reply'>
  create_subshell_reply: OneWay<'control', Reply<CreateSubshellOk>>
  delete_subshell_request: Request<'control', DeleteSubshellRequest, 'delete_subshell_reply'>
  delete_subshell_reply: OneWay<'control', Reply<OkReply>>
  list_subshell_request: Request<'control', Empty, 'list_subshell_reply'>
  list_subshell_reply: OneWay<'control', Reply<ListSubshellOk>>
  usage_request: Request<'control', Empty, 'usage_reply'>
  usage_reply: OneWay<'control', UsageReply>
  kernel_status_request: Request<'control', Empty, 'kernel_status_reply'>
  kernel_status_reply: OneWay<'control', Reply<KernelStatusReply>>
  variables_request: Request<'control' | 'shell', Empty, 'variables_reply'>
  variables_reply: OneWay<'control' | 'shell', Reply<VariablesReply>>
  start_debug_server_request: Request<'control', StartDebugServerRequest, 'start_debug_server_reply'>
  start_debug_server_reply: OneWay<'control', Reply<StartDebugServerReply>>
  stop_debug_server_request: Request<'control', Empty, 'stop_debug_server_reply'>
  stop_debug_server_reply: OneWay<'control', Reply<StopDebugServerReply>>

  stream: OneWay<'iopub', StreamContent>
  display_data: OneWay<'iopub', DisplayContent>
  update_display_data: OneWay<'iopub', UpdateDisplayContent>
  execute_input: OneWay<'iopub', ExecuteInputContent>
  execute_result: OneWay<'iopub', ExecuteResultContent>
  error: OneWay<'iopub', ErrorContent>
  status: OneWay<'iopub', StatusContent>
  clear_output: OneWay<'iopub', ClearOutputContent>
  debug_event: OneWay<'iopub', DebugEventContent>
  iopub_welcome: OneWay<'iopub', IopubWelcomeContent>

  input_request: OneWay<'stdin', InputRequest>
  input_reply: OneWay<'stdin', InputReply>

  comm_open: OneWay<'shell' | 'iopub', CommOpen>
  comm_msg: OneWay<'shell' | 'iopub', CommMsg>
  comm_close: OneWay<'shell' | 'iopub', CommClose>
}

export type MessageType = keyof MessageMap
export type ContentOf<T extends MessageType> = MessageMap[T]['content']
export type ReplyTypeOf<T extends MessageType> = MessageMap[T]['reply']
export type ChannelOf<T extends MessageType> = MessageMap[T]['channel']
/** The types that are answered. `never` cannot be told by `extends`, so it is boxed. */
export type RequestType = { [T in MessageType]: [MessageMap[T]['reply']] extends [never] ? never : T }[MessageType]

/** A message of one known type. */
export type MessageOf<T extends MessageType> = Message<ContentOf<T>> & { header: Header & { msg_type: T } }

/** The channels on which a message of this type may travel; the first is the usual one. */
export const CHANNELS: { readonly [T in MessageType]: readonly [ChannelOf<T>, ...ChannelOf<T>[]] } = {
  execute_request: ['shell'],
  execute_reply: ['shell'],
  inspect_request: ['shell'],
  inspect_reply: ['shell'],
  complete_request: ['shell'],
  complete_reply: ['shell'],
  history_request: ['shell'],
  history_reply: ['shell'],
  is_complete_request: ['shell'],
  is_complete_reply: ['shell'],
  connect_request: ['shell'],
  connect_reply: ['shell'],
  comm_info_request: ['shell'],
  comm_info_reply: ['shell'],
  kernel_info_request: ['shell', 'control'],
  kernel_info_reply: ['shell', 'control'],
  shutdown_request: ['control', 'shell'],
  shutdown_reply: ['control', 'shell', 'iopub'],
  interrupt_request: ['control'],
  interrupt_reply: ['control'],
  debug_request: ['control'],
  debug_reply: ['control'],
  create_subshell_request: ['control'],
  create_subshell_reply: ['control'],
  delete_subshell_request: ['control'],
  delete_subshell_reply: ['control'],
  list_subshell_request: ['control'],
  list_subshell_reply: ['control'],
  usage_request: ['control'],
  usage_reply: ['control'],
  kernel_status_request: ['control'],
  kernel_status_reply: ['control'],
  variables_request: ['control', 'shell'],
  variables_reply: ['control', 'shell'],
  start_debug_server_request: ['control'],
  start_debug_server_reply: ['control'],
  stop_debug_server_request: ['control'],
  stop_debug_server_reply: ['control'],
  stream: ['iopub'],
  display_data: ['iopub'],
  update_display_data: ['iopub'],
  execute_input: ['iopub'],
  execute_result: ['iopub'],
  error: ['iopub'],
  status: ['iopub'],
  clear_output: ['iopub'],
  debug_event: ['iopub'],
  iopub_welcome: ['iopub'],
  input_request: ['stdin'],
  input_reply: ['stdin'],
  comm_open: ['shell', 'iopub'],
  comm_msg: ['shell', 'iopub'],
  comm_close: ['shell', 'iopub'],
}

export function isMessageType(type: string): type is MessageType {
  return Object.hasOwn(CHANNELS, type)
}

/**
 * The type that answers a request type, also an unknown one: `frobnicate_request` is answered by `frobnicate_reply`,
 * as the specification's naming rule has it. `undefined` for what is not a request.
 */
export function replyTypeOf<T extends string>(type: T): (T extends RequestType ? MessageMap[T]['reply'] : string) | undefined {
  if (!type.endsWith('_request') || type === 'input_request') return undefined
  return `${type.slice(0, -'request'.length)}reply` as T extends RequestType ? MessageMap[T]['reply'] : string
}

/** True when the message is of this type; the content must have been validated before. */
export function isMessage<T extends MessageType>(message: Message, type: T): message is MessageOf<T> & Message {
  return message.header.msg_type === type
}
