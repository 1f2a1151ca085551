export type { ExecuteReply, Execution, ExecutionHandlers } from './execution.ts'
export {
  type CompleteResult,
  type ExecuteOptions,
  type HistoryItem,
  type HistoryQuery,
  type InspectResult,
  type IsCompleteResult,
  KernelClient,
  type KernelClientOptions,
  type OkOf,
  type RequestOptions,
} from './kernel-client.ts'
export { type Output, outputOf } from './output.ts'
