import type { Dap, Handlers } from '@llmspell/dap'
import type { SessionContext } from '../session-context.ts'

export function breakpointHandlers(
  context: SessionContext,
): Pick<Handlers, 'setBreakpoints' | 'setFunctionBreakpoints' | 'setExceptionBreakpoints' | 'breakpointLocations'> {
  const { breakpoints, functionBreakpoints, exceptionFilters, lifeCycle, sources, engines } = context
  return {
    setBreakpoints({ source, breakpoints: given, lines = [] }, request) {
      const wanted = given ?? lines.map((line) => ({ line }))
      // Of a buffer that was never saved.
      if (source.path === '' && !source.sourceReference && !source.name) return { breakpoints: wanted.map(inNoFile) }
      const set = breakpoints.set(sources.fromClient(source), wanted, request)
      return lifeCycle.configuring(set.then((answer) => ({ breakpoints: answer })))
    },

    setFunctionBreakpoints({ breakpoints: wanted }, request) {
      return lifeCycle.configuring(functionBreakpoints.setFunctions(wanted, request).then((answer) => ({ breakpoints: answer })))
    },

    setExceptionBreakpoints(wanted) {
      return lifeCycle.configuring(exceptionFilters.set(wanted).then((answer) => ({ breakpoints: answer })))
    },

    async breakpointLocations(args) {
      if (!args) return { breakpoints: [] }
      const { client } = context
      const source = sources.fromClient(args.source)
      const line = client.lineFromClient(args.line)
      const endLine = Math.max(line, client.lineFromClient(args.endLine ?? args.line))
      const from = args.column === undefined ? 1 : client.columnFromClient(args.column)
      const to = args.endColumn === undefined ? Number.POSITIVE_INFINITY : client.columnFromClient(args.endColumn)
      const found = new Map<string, Dap.BreakpointLocation>()
      for (const each of await Promise.all([...engines.links].map((link) => link.target.breakpointLocations(source, line, endLine))))
        for (const place of each) {
          if (place.line === line && (place.column ?? from) < from) continue
          if (place.line === endLine && (place.column ?? 1) > to) continue
          const column = place.column === undefined ? undefined : client.columnToClient(place.column)
          found.set(`${place.line}:${place.column}`, {
            line: client.lineToClient(place.line),
            ...(column !== undefined && { column }),
          })
        }
      return { breakpoints: [...found.values()].sort((a, b) => a.line - b.line || (a.column ?? 0) - (b.column ?? 0)) }
    },
  }
}

function inNoFile(): Dap.Breakpoint {
  return { verified: false, message: 'an empty path names no source', reason: 'failed' }
}
