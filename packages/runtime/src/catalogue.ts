import type { KernelStatusReply } from '@llmspell/jupyter'
import { builtinModules, type CatalogueModule, describeCatalogue, type ModuleDescription } from '@llmspell/script/catalogue'
import { kernelModule } from './modules/kernel.ts'
import { sessionModule } from './modules/session.ts'
import { stateModule } from './modules/state.ts'
import type { StateStore } from './state-store.ts'

export interface CatalogueServices {
  state: StateStore
  status(): KernelStatusReply
  languages: readonly string[]
}

/** The script globals whose functions run in the kernel. */
export function createCatalogue({ state, status, languages }: CatalogueServices): CatalogueModule[] {
  return [stateModule(state), sessionModule(state), kernelModule(status, languages)]
}

/** Every script global as data, those of the engines included: what type files, the reference page and its tests are made from. */
export function describeGlobals(): readonly ModuleDescription[] {
  const notRunning = (): never => {
    throw new Error('a description has nothing to run')
  }
  const described = createCatalogue({ state: { open: notRunning, close() {} }, status: notRunning, languages: [] })
  return [...builtinModules, ...describeCatalogue(described)]
}
