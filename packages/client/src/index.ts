export type { ExecuteOptions, OkOf, RequestOptions } from './conversation.ts'
export type { ExecuteReply, Execution, ExecutionHandlers } from './execution.ts'
export {
  type CompleteResult,
  type HistoryItem,
  type HistoryQuery,
  type InspectResult,
  type IsCompleteResult,
  KernelClient,
  type KernelClientOptions,
} from './kernel-client.ts'
export { type Output, outputOf } from './output.ts'
