import { adapterCapabilities, type Handlers } from '@llmspell/dap'
import { Client } from '../client.ts'
import type { SessionContext } from '../session-context.ts'

type LifeCycleCommand = 'initialize' | 'launch' | 'attach' | 'configurationDone' | 'restart' | 'terminate' | 'disconnect'

export function lifeCycleHandlers(context: SessionContext): Pick<Handlers, LifeCycleCommand> {
  const { lifeCycle } = context
  return {
    initialize(said, { afterResponse }) {
      context.client = new Client(said)
      lifeCycle.initialized()
      // Others hear it when launch or attach was accepted: only then can an engine bind what they set.
      if (context.kind === 'jupyter') afterResponse(() => context.event('initialized'))
      return adapterCapabilities
    },
    async launch(args, request) {
      await lifeCycle.launch(args, request)
    },
    async attach(args, request) {
      await lifeCycle.attach(args, request)
    },
    async configurationDone(_args, request) {
      await lifeCycle.configurationDone(request)
    },
    async restart(args, request) {
      await lifeCycle.restart(args?.arguments, request)
    },
    async terminate() {
      await lifeCycle.terminate()
    },
    async disconnect(args, { afterResponse }) {
      await lifeCycle.disconnect(args ?? {})
      afterResponse(() => context.clientLeft())
    },
  }
}
