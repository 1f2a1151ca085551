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
    launch: (args, request) => lifeCycle.starting(lifeCycle.launch(args, request)),
    attach: (args, request) => lifeCycle.starting(lifeCycle.attach(args, request)),
    restart: (args, request) => lifeCycle.starting(lifeCycle.restart(args?.arguments, request)),
    configurationDone: (_args, request) => lifeCycle.configurationDone(request),
    terminate: () => lifeCycle.terminate(),
    async disconnect(args, { afterResponse }) {
      await lifeCycle.disconnect(args ?? {})
      afterResponse(() => context.clientLeft())
    },
  }
}
