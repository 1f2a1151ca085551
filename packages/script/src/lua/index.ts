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

/** Of the Lua that `@llmspell/lua` is built from; that package is not loaded before an engine starts. */
const LUA_VERSION = '5.4.9'

/** Lua engines: one worker thread per namespace. */
export function luaEngineFactory({ catalogue }: LuaEngineFactoryOptions): EngineFactory {
  const described = describeCatalogue(catalogue).filter((module) => inLanguage(module, 'lua'))
  const lookup = catalogueLookup([...described, ...builtinModules], 'lua')
  return {
    languages: ['lua'],
    versions: { lua: LUA_VERSION },
    create: (host, options) => new LuaEngine({ host, options, catalogue: described, lookup }),
  }
}
