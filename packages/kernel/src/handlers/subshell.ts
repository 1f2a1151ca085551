import { LlmspellError } from '@llmspell/base'
import type { Handler } from '../feature.ts'

/** JEP 91 is not offered (`supported_features` does not list it); runs in fresh namespaces take its place. */
export function subshellHandler(): Handler<unknown> {
  return () => {
    throw new LlmspellError('this kernel has no subshells', {
      code: 'kernel.not_supported',
      hint: "Execute with metadata.llmspell.namespace 'fresh' to run beside the shared namespace.",
    })
  }
}

/** There are none to list, which is no error. */
export function listSubshellHandler(): Handler<unknown> {
  return () => ({ status: 'ok', subshell_id: [] })
}
