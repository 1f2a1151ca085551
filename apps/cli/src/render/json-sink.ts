import type { Output } from '@llmspell/client'
import type { OutputSink } from '../session/execute.ts'
import type { Terminal } from '../terminal.ts'

/** One JSON object a line: the contents of Jupyter's messages under their own names. */
export function createJsonSink(terminal: Terminal): OutputSink {
  const emit = (event: Record<string, unknown>): void => terminal.out(`${JSON.stringify(event)}\n`)
  return {
    start(execution, { connection, started }) {
      const { id, pid, version } = connection.llmspell ?? {}
      emit({ type: 'start', execution: execution.id, kernel: { id, pid, version, started } })
    },
    output: (output) => emit(eventOf(output)),
    page: (data) => emit({ type: 'page', data }),
    end: ({ status, exitCode }) => emit({ type: 'end', status, exitCode }),
  }
}

function eventOf(output: Output): Record<string, unknown> {
  if (output.type === 'execute_result')
    return { type: output.type, data: output.data, metadata: output.metadata, execution_count: output.executionCount }
  if (output.type === 'display_data' || output.type === 'update_display_data')
    return { type: output.type, data: output.data, metadata: output.metadata, display_id: output.displayId }
  return { ...output }
}
