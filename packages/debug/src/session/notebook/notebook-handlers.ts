import { LlmspellError } from '@llmspell/base'
import type { Handlers } from '@llmspell/dap'
import type { RenderedValue } from '../../debug-target.ts'
import type { EngineLink } from '../../engine-link.ts'
import type { SessionContext } from '../session-context.ts'
import { valueToClient } from '../variables.ts'
import { copyToGlobals } from './copy-to-globals.ts'
import { globalVariables } from './global-variables.ts'

type NotebookCommand = 'debugInfo' | 'dumpCell' | 'inspectVariables' | 'richInspectVariables' | 'copyToGlobals'

/** Jupyter's additions to the protocol (messaging 5.5, "Additions to the DAP"). */
export function notebookHandlers(context: SessionContext): Pick<Handlers, NotebookCommand> {
  const { host, engines, references, breakpoints, lifeCycle, sources } = context
  return {
    debugInfo() {
      const { prefix, suffix, seed } = host.cells
      const stopped = [...engines.links].flatMap((link) => (link.stop ? [engines.threadToClient(link, link.stop.threadId)] : []))
      return {
        isStarted: lifeCycle.attached,
        hashMethod: 'Murmur2',
        hashSeed: seed,
        tmpFilePrefix: prefix,
        tmpFileSuffix: suffix,
        breakpoints: breakpoints.list(),
        stoppedThreads: stopped,
        richRendering: true,
        exceptionPaths: [],
        copyToGlobals: true,
      }
    },

    async dumpCell({ code }) {
      const sourcePath = await host.dumpCell(code)
      sources.dumped(sourcePath)
      return { sourcePath }
    },

    async inspectVariables() {
      return { variables: await globalVariables(context, sharedLinks(context)) }
    },

    async richInspectVariables({ variableName, frameId }) {
      if (frameId !== undefined) {
        const { link, id } = references.resolveFrame(frameId)
        return renderIn(link, variableName, id)
      }
      const links = sharedLinks(context)
      const answers = await Promise.allSettled(links.map((link) => renderGlobal(context, link, variableName)))
      const found = answers.find((answer) => answer.status === 'fulfilled') ?? answers[0]
      if (found?.status === 'fulfilled') return found.value
      throw found?.reason ?? new LlmspellError(`there is no variable ${variableName.slice(0, 100)}`, { code: 'debug.evaluation_failed' })
    },

    async copyToGlobals({ srcVariableName, srcFrameId, dstVariableName }) {
      const { link, id } = references.resolveFrame(srcFrameId)
      engines.requireControl(link)
      return valueToClient(context, link, await copyToGlobals(link, id, srcVariableName, dstVariableName))
    },
  }
}

/** Namespaces of cells; the first is the default language's. */
function sharedLinks(context: SessionContext): EngineLink[] {
  return context.links().filter((link) => link.engine.namespace === 'shared')
}

/** The kernel evaluates where nothing runs; where something does, it would have to wait for its end. */
function renderGlobal({ host, engines }: SessionContext, link: EngineLink, expression: string): Promise<RenderedValue> {
  if (engines.has(link) && (link.stop || link.execution)) return renderIn(link, expression, undefined)
  return host.render(link.engine.id, expression)
}

async function renderIn(link: EngineLink, expression: string, frameId: number | undefined): Promise<RenderedValue> {
  if (link.target.render) return link.target.render(expression, frameId)
  const { value } = await link.target.evaluate(expression, frameId, 'hover')
  return { data: { 'text/plain': value }, metadata: {} }
}
