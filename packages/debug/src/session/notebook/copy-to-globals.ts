import { LlmspellError } from '@llmspell/base'
import type { Variable } from '../../debug-target.ts'
import type { EngineLink } from '../../engine-link.ts'

/** Sets a global to what a variable of a frame holds. Answers what the global holds then. */
export async function copyToGlobals(link: EngineLink, frameId: number, from: string, to: string): Promise<Variable> {
  for (const name of [from, to])
    if (!isName(name))
      throw new LlmspellError(`'${name.slice(0, 100)}' is no name of a variable`, {
        code: 'debug.bad_request',
        data: { name: name.slice(0, 100) },
      })
  const target = link.engine.languages.includes('lua') ? `_G.${to}` : `globalThis.${to}`
  await link.target.evaluate(`${target} = ${from}`, frameId, 'repl')
  return link.target.evaluate(target, frameId, 'watch')
}

function isName(text: string): boolean {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(text)
}
