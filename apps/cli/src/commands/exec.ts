import type { Context } from '../context.ts'
import { createSink } from '../render/sink.ts'
import { execute } from '../session/execute.ts'
import { noInput, readAll } from '../session/input.ts'
import { languageOption } from '../session/languages.ts'
import { openKernel } from '../session/open-kernel.ts'

export async function run(context: Context): Promise<number> {
  const [given = ''] = context.invocation.positionals
  const fromStdin = given === '-'
  const code = fromStdin ? await readAll(context.terminal.stdin) : given
  const language = languageOption(context)
  const kernel = await openKernel(context)
  return execute(
    context,
    kernel,
    code,
    { ...(language && { language }), cwd: context.cwd, ...(fromStdin && { input: noInput }) },
    createSink(context, { result: true, quietExit: false }),
  )
}
