import { type Context, flag } from '../context.ts'
import type { OutputSink } from '../session/execute.ts'
import { createJsonSink } from './json-sink.ts'
import { createTextSink, type TextSinkOptions } from './text-sink.ts'

/** As `--json` decides. */
export function createSink(context: Context, options: TextSinkOptions): OutputSink {
  return flag(context, 'json') ? createJsonSink(context.terminal) : createTextSink(context.terminal, options)
}
