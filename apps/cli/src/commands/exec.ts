import { text } from 'node:stream/consumers'
import { type Context, flag } from '../context.ts'
import { createJsonSink } from '../render/json-sink.ts'
import { createTextSink } from '../render/text-sink.ts'
import { execute } from '../session/execute.ts'
import { noInput } from '../session/input.ts'
import { languageOption } from '../session/languages.ts'
import { openKernel } from '../session/open-kernel.ts'

export async function run(context: Context): Promise<number> {
  const [given = ''] = context.invocation.positionals
  const fromStdin = given === '-'
  const code = fromStdin ? await text(context.terminal.stdin) : given
  const language = languageOption(context)
  const kernel = await openKernel(context)
  return execute(
    context,
    kernel,
    code,
    { ...(language && { language }), cwd: context.cwd, ...(fromStdin && { input: noInput }) },
    flag(context, 'json') ? createJsonSink(context.terminal) : createTextSink(context.terminal, { result: true, quietExit: false }),
  )
}
