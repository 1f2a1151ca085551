export { describeScriptEngine, type ScriptEngineSuite } from './describe-script-engine.ts'
export type { EngineSamples } from './engine-samples.ts'
export { RecordingHost } from './recording-host.ts'
