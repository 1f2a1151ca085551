import type { Dap } from '@llmspell/dap'
import type { DebugConsole } from './console.ts'

/** Most that are shown of one list. */
const SHOWN = 100

type Counted = Pick<Dap.Variable, 'indexedVariables' | 'namedVariables'>

/** What a reference holds, `depth` levels down. */
export async function showVariables(
  console: DebugConsole,
  reference: number,
  { indent = '', depth = 0, of }: { indent?: string; depth?: number; of?: Counted } = {},
): Promise<number> {
  const { variables } = await console.debuggee.client.request('variables', { variablesReference: reference, start: 0, count: SHOWN + 1 })
  for (const variable of variables.slice(0, SHOWN)) {
    console.say(`${indent}${variable.name} = ${variable.value}`)
    if (depth > 0 && isOpened(variable))
      await showVariables(console, variable.variablesReference, { indent: `${indent}  `, depth: depth - 1, of: variable })
  }
  const total = (of?.indexedVariables ?? 0) + (of?.namedVariables ?? 0)
  if (variables.length > SHOWN) console.say(`${indent}… ${total > SHOWN ? total - SHOWN : 'and'} more`)
  return variables.length
}

/** What runs code when it is looked at, and what many values share, is opened only by its own name. */
function isOpened({ name, variablesReference, presentationHint }: Dap.Variable): boolean {
  return variablesReference > 0 && !presentationHint?.lazy && !/prototype|metatable/i.test(name)
}

/** The scopes of the frame that is looked at. */
export async function scopes({ debuggee }: DebugConsole): Promise<Dap.Scope[]> {
  return (await debuggee.client.request('scopes', { frameId: debuggee.frame.id })).scopes
}

export function isGlobal({ name, presentationHint }: Dap.Scope): boolean {
  return presentationHint === 'globals' || /^globals?$/i.test(name)
}
