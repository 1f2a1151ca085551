import type { Runtime } from 'node:inspector'
import { delay, LlmspellError } from '@llmspell/base'
import { DEBUG_HOOK } from '../../source/rewrite.ts'
import { type Agent, type AsyncFrame, makeAgent } from './agent.ts'
import type { Protocol } from './protocol.ts'

const BINDING = '$llmspell$emit'
/** How long a process may take to start. */
const HOOK_MS = 30_000
const HOOK_POLL_MS = 3
/** Fixed arguments: to spread them would run an iterator that the script may have replaced. */
const CALL = 'function(m,a,b,c){return this[m](a,b,c)}\n//# sourceURL=llmspell:look\n'

/** The agent in the script thread, as the guard calls it. */
export class AgentLink {
  readonly #protocol: Protocol
  #objectId = ''

  constructor(protocol: Protocol) {
    this.#protocol = protocol
  }

  async install(): Promise<void> {
    await this.#hook()
    await this.#protocol.post('Runtime.addBinding', { name: BINDING })
    const expression = `(()=>{const emit=globalThis['${BINDING}'];delete globalThis['${BINDING}'];return ${DEBUG_HOOK}.install(${JSON.stringify(
      `(${makeAgent.toString()})`,
    )},emit)})()\n//# sourceURL=llmspell:install`
    const { result, exceptionDetails } = await this.#protocol.post<Runtime.EvaluateReturnType>('Runtime.evaluate', {
      expression,
      silent: true,
      disableBreaks: true,
      objectGroup: 'agent',
    })
    if (exceptionDetails || result.objectId === undefined)
      throw new LlmspellError(
        `the debugger could not be set up in the script: ${exceptionDetails?.exception?.description ?? result.type}`,
        {
          code: 'debug.not_supported',
        },
      )
    this.#objectId = result.objectId
  }

  /** A process that has just been started may not have come that far. */
  async #hook(): Promise<void> {
    for (const until = Date.now() + HOOK_MS; Date.now() < until; await delay(HOOK_POLL_MS)) {
      const { result } = await this.#protocol.post<Runtime.EvaluateReturnType>('Runtime.evaluate', {
        expression: `typeof ${DEBUG_HOOK}`,
        disableBreaks: true,
      })
      if (result.value === 'object') return
    }
  }

  /** @throws what the script has thrown, with code `debug.evaluation_failed`. */
  async call(
    method: keyof Agent,
    options: { group?: string; byValue?: boolean; preview?: boolean },
    ...args: Runtime.CallArgument[]
  ): Promise<Runtime.RemoteObject> {
    const { result, exceptionDetails } = await this.#protocol.post<Runtime.CallFunctionOnReturnType>('Runtime.callFunctionOn', {
      functionDeclaration: CALL,
      objectId: this.#objectId,
      arguments: [{ value: method }, ...args],
      silent: true,
      ...(options.byValue ? { returnByValue: true } : { objectGroup: options.group, generatePreview: options.preview !== false }),
    })
    if (exceptionDetails) throw evaluationError(exceptionDetails)
    return result
  }

  async value<T>(method: keyof Agent, ...args: Runtime.CallArgument[]): Promise<T> {
    return (await this.call(method, { byValue: true }, ...args)).value as T
  }

  /** What waits for the code of a frame: V8 keeps no account of it, because that is slow; a stack trace made there finds it out. */
  async waiting(callFrameId: string): Promise<AsyncFrame[]> {
    try {
      const { result } = await this.#protocol.post<Runtime.EvaluateReturnType>('Debugger.evaluateOnCallFrame', {
        callFrameId,
        expression: `${DEBUG_HOOK}.agent.stack()\n//# sourceURL=llmspell:look`,
        silent: true,
        returnByValue: true,
      })
      return Array.isArray(result.value) ? (result.value as AsyncFrame[]) : []
    } catch {
      return []
    }
  }

  /** The id of an object that the agent makes. */
  async object(method: keyof Agent, group: string, ...args: Runtime.CallArgument[]): Promise<string> {
    return (await this.call(method, { group, preview: false }, ...args)).objectId as string
  }
}

/** What an expression has thrown. */
export function evaluationError({ exception, text }: Runtime.ExceptionDetails): LlmspellError {
  const message =
    exception?.description?.split('\n    at ')[0] ??
    (exception?.type === 'string' ? String(exception.value) : exception?.unserializableValue)
  return new LlmspellError(message ?? (exception && 'value' in exception ? String(exception.value) : text), {
    code: 'debug.evaluation_failed',
  })
}
