export type {
  CompleteResult,
  ErrorContent,
  ExecuteReply,
  HistoryItem,
  HistoryQuery,
  InspectResult,
  IsCompleteResult,
  KernelInfo,
  Language,
  MimeBundle,
  Output,
} from './contents.ts'
export type { Execution, ExecutionHandlers, InputRequest } from './execution.ts'
export { type ExecuteOptions, KernelClient, type KernelClientOptions, type RequestOptions } from './kernel-client.ts'
