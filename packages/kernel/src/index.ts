export type { HistoryEntry, HistorySearch, HistoryStore } from './execution/history-store.ts'
export type { Handler, KernelFeature } from './feature.ts'
export type { CreateKernelOptions, Kernel, KernelLimits, StopReason } from './kernel.ts'
export type { PublishOptions, RequestContext } from './request-context.ts'
