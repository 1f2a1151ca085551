import { LlmspellError } from '@llmspell/base'
import type { Handlers } from '@llmspell/dap'
import type { ResumeMode } from '../debug-target.ts'
import type { EngineLink } from '../engine-link.ts'
import type { SessionContext } from './session-context.ts'
import { requireStop } from './stack.ts'

type SteppingCommand = 'continue' | 'next' | 'stepIn' | 'stepOut' | 'stepBack' | 'reverseContinue' | 'pause' | 'restartFrame'

export function steppingHandlers(context: SessionContext): Pick<Handlers, SteppingCommand> {
  const { engines, references, stops } = context
  const step =
    (mode: ResumeMode) =>
    async ({ threadId }: { threadId: number }, { afterResponse }: { afterResponse(run: () => void): void }): Promise<undefined> => {
      const thread = engines.resolveThread(threadId)
      await resume(context, thread.link, thread.threadId, mode, afterResponse)
    }
  return {
    next: step('next'),
    stepIn: step('stepIn'),
    stepOut: step('stepOut'),
    stepBack: step('stepBack'),
    reverseContinue: step('reverseContinue'),

    async continue({ threadId }, { afterResponse }) {
      const stopped = stoppedLinks(context, threadId)
      await Promise.all(stopped.map((link) => resume(context, link, link.stop?.threadId ?? 1, 'continue', afterResponse)))
      const [link] = stopped
      return { allThreadsContinued: link === undefined || stopped.length > 1 || stops.allContinued(link) }
    },

    async pause({ threadId }) {
      const thread = engines.resolveThread(threadId)
      engines.requireControl(thread.link)
      if (!thread.link.stop) await thread.link.target.pause(thread.threadId)
    },

    async restartFrame({ frameId }, { afterResponse }) {
      const { link, id } = references.resolveFrame(frameId)
      engines.requireControl(link)
      if (!link.target.features.restartFrame)
        throw new LlmspellError(`${link.engine.name} cannot restart a frame`, { code: 'debug.not_supported' })
      const release = link.hold(context.member)
      try {
        await link.target.restartFrame(id)
      } catch (error) {
        release()
        throw error
      }
      stops.resumed(link)
      afterResponse(() => release())
    },
  }
}

/**
 * Notebooks forget which thread stands still before they let it go on, and name the first: for them it is whatever stands still. Any
 * thread of an engine stands for all of it.
 */
function stoppedLinks({ engines, kind }: SessionContext, threadId: number): EngineLink[] {
  if (kind === 'jupyter') {
    const stopped = [...engines.links].filter((link) => link.stop)
    const named = stopped.filter((link) => link.stop && engines.threadToClient(link, link.stop.threadId) === threadId)
    if (stopped.length > 0) return named.length > 0 ? named : stopped
  }
  return [engines.resolveThread(threadId).link]
}

async function resume(
  { engines, stops, member, kind }: SessionContext,
  link: EngineLink,
  threadId: number,
  mode: ResumeMode,
  afterResponse: (run: () => void) => void,
): Promise<void> {
  engines.requireControl(link)
  requireStop(link)
  if ((mode === 'stepBack' || mode === 'reverseContinue') && !link.recordsHistory) throw noHistory(link)
  const release = link.hold(member)
  try {
    await link.target.resume(threadId, mode)
  } catch (error) {
    release()
    throw error
  }
  stops.resumed(link)
  // The clients of a notebook share this session: one lets it go on, all hear of it.
  if (kind === 'jupyter') afterResponse(() => stops.continued(link, threadId))
  afterResponse(() => release({ type: 'continued', threadId }))
}

function noHistory(link: EngineLink): LlmspellError {
  const able = link.target.features.stepBack
  return new LlmspellError(able ? 'no history is kept, so there is no way back' : `${link.engine.name} cannot go back`, {
    code: 'debug.not_supported',
    ...(able && { hint: 'Launch or attach with "recordHistory": true.' }),
  })
}
