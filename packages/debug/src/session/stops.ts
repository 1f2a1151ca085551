import type { Dap } from '@llmspell/dap'
import type { DebugTargetEvent } from '../debug-target.ts'
import type { EngineLink, StoppedEvent } from '../engine-link.ts'
import type { SessionContext } from './session-context.ts'

/** Tells the client what stops and what goes on, from when it has finished configuring. */
export class Stops {
  readonly #context: SessionContext
  /** The client believes that all threads stand still. */
  #allSaidStopped = false

  constructor(context: SessionContext) {
    this.#context = context
  }

  /** What stands still already when the client is ready to hear of it. */
  announce(): void {
    for (const link of this.#context.engines.links) if (link.stop) this.stopped(link, link.stop)
  }

  stopped(link: EngineLink, stop: StoppedEvent): void {
    const { engines, breakpoints, functionBreakpoints, lifeCycle } = this.#context
    engines.focusOn(link)
    if (!lifeCycle.running) return
    const { threadId, reason, breakpointIds, text } = stop
    const hit = breakpointIds?.filter((id) => breakpoints.has(id) || functionBreakpoints.has(id))
    this.#allSaidStopped = this.#othersRest(link)
    this.#context.event('stopped', {
      ...describeReason(reason),
      threadId: engines.threadToClient(link, threadId),
      allThreadsStopped: this.#allSaidStopped,
      ...(text !== undefined && { text }),
      ...(hit && hit.length > 0 && { hitBreakpointIds: hit }),
    })
  }

  /** References of the engine are stale from here on. */
  continued(link: EngineLink, threadId: number): void {
    this.resumed(link)
    if (!this.#context.lifeCycle.running) return
    this.#context.event('continued', {
      threadId: this.#context.engines.threadToClient(link, threadId),
      allThreadsContinued: this.allContinued(link),
    })
  }

  /** It goes on, and the client knows from the answer to its own request. */
  resumed(link: EngineLink): void {
    this.#context.references.forget(link)
    this.#allSaidStopped = false
  }

  /** Whether nothing else stands still. */
  allContinued(link: EngineLink): boolean {
    for (const other of this.#context.engines.links) if (other !== link && other.stop) return false
    return true
  }

  executionStarted(link: EngineLink): void {
    const { engines, kind, lifeCycle, references } = this.#context
    references.forget(link)
    // A notebook would take it for the end of the stop that it shows.
    if (!this.#allSaidStopped || !lifeCycle.running || kind === 'jupyter') return
    this.#allSaidStopped = false
    this.#context.event('continued', { threadId: engines.threadToClient(link, 1), allThreadsContinued: false })
  }

  lost(link: EngineLink, stopped: boolean): void {
    const { engines, breakpoints, functionBreakpoints, event, lifeCycle } = this.#context
    if (stopped) this.continued(link, 1)
    else this.resumed(link)
    const threads = engines.threadsLost(link)
    if (lifeCycle.running) for (const threadId of threads) event('thread', { reason: 'exited', threadId })
    breakpoints.unbind(link)
    functionBreakpoints.unbind(link)
  }

  /** An engine in which nothing runs has no thread that could go on. */
  #othersRest(link: EngineLink): boolean {
    for (const other of this.#context.engines.links) if (other !== link && other.execution && !other.stop) return false
    return true
  }
}

function describeReason(reason: StoppedEvent['reason']): Pick<Dap.StoppedEventBody, 'reason' | 'description'> {
  switch (reason) {
    case 'exception':
      return { reason, description: 'Paused on exception' }
    case 'debugger statement':
      return { reason: 'breakpoint', description: 'Paused on debugger statement' }
    default:
      return { reason }
  }
}

/** What a target says, as the client hears it. */
export function tellTargetEvent(context: SessionContext, link: EngineLink, event: DebugTargetEvent, wasStopped: boolean): void {
  const { engines, stops, breakpoints, functionBreakpoints, sources, lifeCycle } = context
  switch (event.type) {
    case 'stopped':
      return stops.stopped(link, event)
    case 'continued':
      return stops.continued(link, event.threadId)
    case 'lost':
      return stops.lost(link, wasStopped)
    case 'breakpoint':
      breakpoints.bound(link, event.breakpoint)
      return functionBreakpoints.bound(link, event.breakpoint)
    case 'source': {
      const reason = sources.loaded(event.source) ? 'new' : 'changed'
      return context.event('loadedSource', { reason, source: sources.toClient(event.source) })
    }
    case 'thread': {
      const threadId = engines.threadToClient(link, event.threadId)
      if (event.reason === 'exited') engines.threadEnded(link, event.threadId)
      if (lifeCycle.running) context.event('thread', { reason: event.reason, threadId })
      return
    }
    case 'output': {
      const { category, text, source, line } = event
      context.event('output', {
        category,
        output: text.endsWith('\n') ? text : `${text}\n`,
        ...(source !== undefined && { source: sources.toClient(source) }),
        ...(line !== undefined && { line: context.client.lineToClient(line) }),
      })
    }
  }
}
