import { type Context, flag } from '../context.ts'
import type { OutputSink } from '../session/execute.ts'
import type { TextSinkOptions } from './text-sink.ts'

/** As `--json` decides; only the one is loaded. */
export async function createSink(context: Context, options: TextSinkOptions): Promise<OutputSink> {
  if (flag(context, 'json')) return (await import('./json-sink.ts')).createJsonSink(context.terminal)
  return (await import('./text-sink.ts')).createTextSink(context.terminal, options)
}
