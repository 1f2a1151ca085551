import type { Logger } from '@llmspell/base'
import type { EngineHost } from '@llmspell/script'
import type { CommManager } from '../comms/comm-manager.ts'
import type { CreateKernelOptions } from '../kernel.ts'
import type { EngineSlot } from './engine-pool.ts'
import type { InputPrompts } from './input-prompts.ts'
import type { Origins } from './origins.ts'
import type { ScriptOutput } from './script-output.ts'

export interface ScriptHostServices {
  call: CreateKernelOptions['call']
  origins: Origins
  output: ScriptOutput
  prompts: InputPrompts
  comms: CommManager
  logger: Logger
  /** Log every call, prompt and comm message of scripts (`LLMSPELL_TRACE=engine`). */
  trace: boolean
}

/** What one engine sees of the kernel: everything it says is looked up by the execution it names. */
export function scriptHost(slot: () => EngineSlot, services: ScriptHostServices): EngineHost {
  const { origins, output, prompts, comms, logger } = services
  const trace = services.trace
    ? (what: string, fields: Record<string, unknown>) => logger.log('trace', `engine ${what}`, fields)
    : undefined
  return {
    call(call) {
      trace?.(`call ${call.name}`, { execution: call.executionId, args: call.args })
      try {
        return services.call({ ...call, session: origins.get(call.executionId)?.header?.session ?? '' })
      } catch (error) {
        return Promise.reject(error)
      }
    },
    input(executionId, prompt, password, signal) {
      trace?.('input', { execution: executionId, prompt, password })
      return prompts.ask(origins.get(executionId), prompt, password, signal)
    },
    output: (event) => output.accept(slot(), event),
    comm(event) {
      trace?.(`comm ${event.type}`, { execution: event.executionId, comm: event.commId })
      comms.fromScript(slot(), event)
    },
    log: (level, message, fields) => logger.log(level, message, { languages: slot().factory.languages, ...fields }),
  }
}
