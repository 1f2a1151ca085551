import type { DebugTarget, DebugTargetEvent } from '@llmspell/debug'
import type { WireError } from '../protocol.ts'

/** Requests of a debugger that the worker answers itself: the methods of `DebugTarget` that are asynchronous. */
export type DebugMethod = Exclude<keyof DebugTarget, 'features' | 'onEvent'>

export type DebugArguments<M extends DebugMethod> = Parameters<Required<DebugTarget>[M]>
export type DebugResult<M extends DebugMethod> = Awaited<ReturnType<Required<DebugTarget>[M]>>

/** Answered in order, at the worker's next safe point: it runs, stands still, waits in a host call or has nothing to do. */
export interface DebugRequest {
  type: 'debug'
  id: number
  method: DebugMethod
  args: readonly unknown[]
}

export interface DebugAnswer {
  type: 'debugAnswer'
  id: number
  value?: unknown
  error?: WireError
}

export interface DebugNotice {
  type: 'debugNotice'
  event: DebugTargetEvent
}
