import { compileLua, type LuaModule } from '@llmspell/lua'
import { builtinModules } from '../catalogue/builtins.ts'
import { describeCatalogue, type ModuleDescription } from '../catalogue/catalogue.ts'
import { catalogueLookup } from '../catalogue/lookup.ts'
import { inLanguage } from '../catalogue/type-text.ts'
import type { EngineFactory } from '../engine.ts'
import { LuaEngine } from './lua-engine.ts'

export interface LuaEngineFactoryOptions {
  /** Globals whose functions run in the kernel: calls go to `EngineHost.call` by full name. */
  catalogue: readonly ModuleDescription[]
}

const LUA_VERSION = '5.4.9'

let compiled: LuaModule | undefined
let warm = false

/** Lua engines: one worker thread per namespace. Lua is compiled once in the process, when the first engine is made. */
export function luaEngineFactory(options: LuaEngineFactoryOptions): EngineFactory {
  const catalogue = describeCatalogue(options.catalogue).filter((module) => inLanguage(module, 'lua'))
  const lookup = catalogueLookup([...catalogue, ...builtinModules], 'lua')
  return {
    languages: ['lua'],
    versions: { lua: LUA_VERSION },
    create: (host, engineOptions) =>
      new LuaEngine({
        host,
        options: engineOptions,
        catalogue,
        lookup,
        module: () => {
          compiled ??= compileLua()
          return compiled
        },
        claimWarmUp: () => {
          const claimed = !warm
          warm = true
          return claimed
        },
      }),
  }
}
