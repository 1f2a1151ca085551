import { LlmspellError } from '@llmspell/base'
import type { Dap, Handlers } from '@llmspell/dap'
import type { Scope, StackFrame } from '../debug-target.ts'
import type { EngineLink } from '../engine-link.ts'
import type { SessionContext } from './session-context.ts'

/** A runaway recursion has more than anyone reads; `totalFrames` tells how many. */
const MOST_FRAMES = 10_000

export function stackHandlers(context: SessionContext): Pick<Handlers, 'threads' | 'stackTrace' | 'scopes' | 'exceptionInfo'> {
  const { engines, references } = context
  return {
    async threads() {
      return { threads: await engines.threads() }
    },

    async stackTrace({ threadId, startFrame = 0, levels = 0 }) {
      const thread = engines.resolveThread(threadId)
      const { link } = thread
      requireStop(link)
      requireNatural('startFrame', startFrame)
      requireNatural('levels', levels)
      const most = levels === 0 || levels > MOST_FRAMES ? MOST_FRAMES : levels
      const { frames, total } = await link.target.stackTrace(thread.threadId, startFrame, most)
      const stackFrames = frames.map((frame) => frameToClient(context, link, frame))
      return total === undefined ? { stackFrames } : { stackFrames, totalFrames: total }
    },

    async scopes({ frameId }) {
      const { link, id } = references.resolveFrame(frameId)
      const scopes = await link.target.scopes(id)
      return { scopes: scopes.map((scope) => scopeToClient(context, link, scope)) }
    },

    async exceptionInfo({ threadId }) {
      const { link, threadId: target } = engines.resolveThread(threadId)
      requireStop(link)
      const info = await link.target.exceptionInfo(target)
      if (!info) throw new LlmspellError('it did not stop at an error', { code: 'debug.bad_request', data: { threadId } })
      const { id, description, uncaught, stack } = info
      return {
        exceptionId: id,
        description,
        breakMode: uncaught ? 'unhandled' : 'always',
        details: { message: description, typeName: id, ...(stack !== undefined && { stackTrace: stack }) },
      }
    },
  }
}

export function requireStop(link: EngineLink): void {
  if (!link.stop)
    throw new LlmspellError(`${link.engine.name} does not stand still`, { code: 'debug.not_stopped', data: { engine: link.engine.id } })
}

export function requireNatural(name: string, value: number): void {
  if (value < 0) throw new LlmspellError(`${name} must not be negative: ${value}`, { code: 'debug.bad_request', data: { [name]: value } })
}

function frameToClient({ references, client, sources }: SessionContext, link: EngineLink, frame: StackFrame): Dap.StackFrame {
  const known = frame.line > 0
  const described: Dap.StackFrame = {
    id: references.frame(link, frame.id),
    name: frame.name,
    line: known ? client.lineToClient(frame.line) : 0,
    column: known ? client.columnToClient(frame.column) : 0,
    // Said always: silence would mean that it can be.
    canRestart: frame.canRestart === true,
  }
  if (frame.source !== undefined) described.source = sources.toClient(frame.source)
  if (frame.endLine !== undefined) described.endLine = client.lineToClient(frame.endLine)
  if (frame.hint !== undefined) described.presentationHint = frame.hint
  return described
}

export function scopeToClient({ references }: SessionContext, link: EngineLink, scope: Scope): Dap.Scope {
  const { name, hint, reference, named, indexed, expensive } = scope
  const described: Dap.Scope = { name, variablesReference: references.variables(link, reference, totalOf(scope)), expensive }
  if (hint !== undefined) described.presentationHint = hint
  if (named !== undefined) described.namedVariables = named
  if (indexed !== undefined) described.indexedVariables = indexed
  return described
}

export function totalOf({ named, indexed }: { named?: number; indexed?: number }): number | undefined {
  return named === undefined && indexed === undefined ? undefined : (named ?? 0) + (indexed ?? 0)
}
