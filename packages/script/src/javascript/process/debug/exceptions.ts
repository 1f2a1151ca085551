import type { Debugger, Runtime } from 'node:inspector'
import type { ExceptionFilterSpec, ExceptionInfo } from '@llmspell/debug'
import type { AgentLink } from './agent-link.ts'
import type { Protocol } from './protocol.ts'
import type { Scripts } from './scripts.ts'
import { showRemote } from './show-remote.ts'

type Thrown = Runtime.RemoteObject & { uncaught: boolean }

/** Which exceptions stop the script. */
export class ExceptionFilters {
  readonly #protocol: Protocol
  readonly #agent: AgentLink
  #filters: readonly ExceptionFilterSpec[] = []

  constructor(protocol: Protocol, _scripts: Scripts, agent: AgentLink) {
    this.#protocol = protocol
    this.#agent = agent
  }

  async set(filters: readonly ExceptionFilterSpec[]): Promise<void> {
    this.#filters = filters
    const has = (name: string): boolean => filters.some((one) => one.filter === name)
    const state = has('caught') || has('tool') || has('provider') ? 'all' : has('uncaught') ? 'uncaught' : 'none'
    await this.#protocol.post('Debugger.setPauseOnExceptions', { state })
  }

  async wants(thrown: Thrown, _frames: readonly Debugger.CallFrame[]): Promise<boolean> {
    return this.#filters.some(({ filter }) => (filter === 'uncaught' ? thrown.uncaught : filter === 'caught' ? !thrown.uncaught : false))
  }

  async describe(thrown: Thrown): Promise<ExceptionInfo> {
    if (thrown.subtype !== 'error' || thrown.objectId === undefined)
      return { id: thrown.type, description: showRemote(thrown), uncaught: thrown.uncaught }
    const { name, message, stack } = await this.#agent.value<{ name: string; message: string; stack: string }>('error', {
      objectId: thrown.objectId,
    })
    return { id: name || 'Error', description: message, uncaught: thrown.uncaught, ...(stack !== '' && { stack }) }
  }
}
