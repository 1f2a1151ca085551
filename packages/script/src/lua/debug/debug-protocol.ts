import type { DebugTarget, DebugTargetEvent } from '@llmspell/debug'
import type { WireError } from '../protocol.ts'

/** Requests of a debugger that the worker answers itself: the methods of `DebugTarget` that are asynchronous. */
type TargetMethods = Omit<Required<DebugTarget>, 'features' | 'onEvent'>

interface OwnMethods {
  /** Ends an evaluation that does not end by itself: that of a request, which may not have begun, or the one under way. */
  cancel(request: number | undefined): Promise<void>
}

export type DebugMethod = keyof (TargetMethods & OwnMethods)

export type DebugArguments<M extends DebugMethod> = Parameters<(TargetMethods & OwnMethods)[M]>
export type DebugResult<M extends DebugMethod> = Awaited<ReturnType<(TargetMethods & OwnMethods)[M]>>

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
