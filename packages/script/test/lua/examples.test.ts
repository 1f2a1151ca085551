import { readFileSync } from 'node:fs'
import { builtinModules } from '@llmspell/script/catalogue'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type OpenEngine, openEngine, STEP_TIMEOUT_MS } from './open-engine.ts'

/** Samples of the descriptions, which the reference shows. */
const samples = builtinModules.flatMap((module) =>
  module.functions.flatMap(({ name, examples }) => (examples?.lua ? [[`${module.name}: ${name}`, examples.lua]] : [])),
)

describe('examples of the built-in globals', { timeout: STEP_TIMEOUT_MS }, () => {
  let open: OpenEngine

  beforeAll(async () => {
    open = await openEngine()
  }, STEP_TIMEOUT_MS)

  afterAll(() => open.engine.dispose(), STEP_TIMEOUT_MS)

  it.each(samples)('%s runs', async (_name, code) => {
    expect((await open.run(code)).error).toBeUndefined()
  })

  it('has a description of every global that the engine adds, and no other', async () => {
    const prelude = readFileSync(new URL('../../lua/prelude.lua', import.meta.url), 'utf8')
    const added = new Set([...prelude.matchAll(/^(?:function )?G\.(\w+)/gm)].map((found) => found[1]))
    const described = new Set<string>()
    for (const module of builtinModules) {
      if (module.languages?.includes('lua') === false) continue
      if (!module.global) described.add(module.name)
      else for (const { name } of [...module.functions, ...(module.values ?? [])]) described.add(name)
    }
    expect(added).toEqual(described)
    for (const module of builtinModules) {
      if (module.global || module.languages?.includes('lua') === false) continue
      for (const { name } of module.functions) expect(await open.value(`type(${module.name}.${name})`)).toBe('function')
    }
  })
})
