import type { KernelRecord, KernelStatusReply } from '@llmspell/jupyter'
import type { EngineFactory, Language } from '@llmspell/script'
import type { CommManager } from './comms/comm-manager.ts'
import type { Debugging } from './debugging/debugging.ts'
import type { EnginePool } from './execution/engine-pool.ts'
import type { Executor } from './execution/executor.ts'
import type { HistoryRecorder } from './execution/history-recorder.ts'
import type { HistoryStore } from './execution/history-store.ts'
import type { Origins } from './execution/origins.ts'
import type { ScriptOutput } from './execution/script-output.ts'
import type { Kernel } from './kernel.ts'

/** What handlers work with. */
export interface Services {
  kernel: Kernel
  executor: Executor
  pool: EnginePool
  comms: CommManager
  debugging: Debugging
  origins: Origins
  output: ScriptOutput
  history: HistoryRecorder
  historyStore: HistoryStore
  record: KernelRecord
  owned: boolean
  relaunched: boolean
  defaultLanguage: Language
  engines: readonly EngineFactory[]
  supportedFeatures: readonly string[]
  ports: Readonly<Record<string, number>> | undefined
  status(): KernelStatusReply
}
