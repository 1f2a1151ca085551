import { codeOf, messageOf } from '@llmspell/base'
import type { Dap } from '@llmspell/dap'
import type { EngineLink } from '../../engine-link.ts'
import type { SessionContext } from '../session-context.ts'
import { totalOf } from '../stack.ts'
import { variableToClient } from '../variables.ts'

const ATTEMPTS = 5

/** What cells made: the first namespace's variables themselves, those of further languages behind one entry each. */
export async function globalVariables(context: SessionContext, links: readonly EngineLink[]): Promise<Dap.Variable[]> {
  const each = await Promise.all(links.map((link, index) => (index === 0 ? own(context, link) : folded(context, link))))
  return each.flat()
}

async function own(context: SessionContext, link: EngineLink): Promise<Dap.Variable[]> {
  for (let attempt = 1; ; attempt++) {
    const { reference } = await link.target.globals()
    if (reference === 0) return []
    try {
      const variables = await link.target.variables(reference, {})
      return variables.map((variable) => variableToClient(context, link, variable))
    } catch (error) {
      // A cell began or ended between the two questions.
      if (codeOf(error) !== 'debug.stale_reference' || attempt === ATTEMPTS) throw error
    }
  }
}

async function folded(context: SessionContext, link: EngineLink): Promise<Dap.Variable[]> {
  try {
    const scope = await link.target.globals()
    if (scope.reference === 0) return []
    return [
      {
        name: link.engine.name,
        value: '',
        variablesReference: context.references.variables(link, scope.reference, totalOf(scope)),
        presentationHint: { kind: 'virtual' },
      },
    ]
  } catch (error) {
    context.logger.log('debug', 'an engine has no globals to show', { engine: link.engine.id, error: messageOf(error) })
    return []
  }
}
