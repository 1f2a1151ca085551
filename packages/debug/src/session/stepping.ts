import { LlmspellError } from '@llmspell/base'
import type { Handlers, RequestContext } from '@llmspell/dap'
import type { DebugTargetEvent, ResumeMode } from '../debug-target.ts'
import type { EngineLink } from '../engine-link.ts'
import type { SessionContext } from './session-context.ts'
import { requireStop } from './stack.ts'

type SteppingCommand = 'continue' | 'next' | 'stepIn' | 'stepOut' | 'stepBack' | 'reverseContinue' | 'pause' | 'restartFrame'

export function steppingHandlers(context: SessionContext): Pick<Handlers, SteppingCommand> {
  const { engines, references, stops } = context
  const step =
    (mode: ResumeMode) =>
    async ({ threadId }: { threadId: number }, request: RequestContext): Promise<undefined> => {
      const thread = engines.resolveThread(threadId)
      await resume(context, thread.link, thread.threadId, mode, request)
    }
  return {
    next: step('next'),
    stepIn: step('stepIn'),
    stepOut: step('stepOut'),
    stepBack: step('stepBack'),
    reverseContinue: step('reverseContinue'),

    async continue({ threadId }, request) {
      const stopped = stoppedLinks(context, threadId)
      await Promise.all(stopped.map((link) => resume(context, link, link.stop?.threadId ?? 1, 'continue', request)))
      const [link] = stopped
      return { allThreadsContinued: link === undefined || stopped.length > 1 || stops.allContinued(link) }
    },

    async pause({ threadId }) {
      const thread = engines.resolveThread(threadId)
      engines.requireControl(thread.link)
      // Also of a script that stands still: it may be evaluating.
      await thread.link.target.pause(thread.threadId)
    },

    async restartFrame({ frameId }, { afterHandling }) {
      const { link, id } = references.resolveFrame(frameId)
      engines.requireControl(link)
      if (!link.target.features.restartFrame)
        throw new LlmspellError(`${link.engine.name} cannot restart a frame`, { code: 'debug.not_supported' })
      const release = link.hold(context.member)
      afterHandling(() => release())
      await link.target.restartFrame(id)
      stops.resumed(link)
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
  { afterResponse, afterHandling }: RequestContext,
): Promise<void> {
  engines.requireControl(link)
  requireStop(link)
  if ((mode === 'stepBack' || mode === 'reverseContinue') && !link.recordsHistory) throw noHistory(link)
  const release = link.hold(member)
  let caused: DebugTargetEvent | undefined
  afterHandling(() => release(caused))
  await link.target.resume(threadId, mode)
  caused = { type: 'continued', threadId }
  stops.resumed(link)
  // The clients of a notebook share this session: one lets it go on, all hear of it.
  if (kind === 'jupyter') afterResponse(() => stops.continued(link, threadId))
}

function noHistory(link: EngineLink): LlmspellError {
  const able = link.target.features.stepBack
  return new LlmspellError(able ? 'no history is kept, so there is no way back' : `${link.engine.name} cannot go back`, {
    code: 'debug.not_supported',
    ...(able && { hint: 'Launch or attach with "recordHistory": true.' }),
  })
}
