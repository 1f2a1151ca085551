import { traceEnabled } from '@llmspell/base'
import type { KernelClient } from '@llmspell/client'
import { type Context, option } from '../context.ts'

/** `--trace`, or else the environment. */
export function traceTopics(context: Context): string | undefined {
  return option(context, 'trace') ?? context.env['LLMSPELL_TRACE']
}

/** Prints every message with time and direction to stderr, when asked for. */
export function startTrace(context: Context, client: KernelClient): void {
  if (!traceEnabled('jupyter', traceTopics(context))) return
  client.onTraffic((direction, { channel, header, parent_header, metadata, content }) => {
    const arrow = direction === 'out' ? '→' : '←'
    const parent = parent_header.msg_id === undefined ? '' : ` of ${parent_header.msg_id}`
    const body = JSON.stringify({
      ...(Object.keys(metadata).length > 0 && { metadata }),
      // What people type may be a password; a token is one.
      ...(header.msg_type !== 'input_reply' && header.msg_type !== 'start_debug_server_reply' && { content }),
    })
    context.terminal.note(`${new Date().toISOString()} ${arrow} ${channel} ${header.msg_type} ${header.msg_id}${parent} ${body}\n`)
  })
}
