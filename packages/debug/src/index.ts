export type { DebuggedEngine, DebuggedRun, DebugHost, LaunchOptions, RunObserver } from './debug-host.ts'
export type * from './debug-target.ts'
export type { Language } from './language.ts'
