export { type DebugPrograms, javascriptDebugPrograms, luaDebugPrograms, typescriptDebugPrograms } from './debug-programs.ts'
export { DebugRecorder } from './debug-recorder.ts'
export type { DebuggedNamespace, DebugTargetHarness } from './debug-target-harness.ts'
export { describeDebugTarget } from './describe-debug-target.ts'
