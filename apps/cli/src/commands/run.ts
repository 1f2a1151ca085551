import { resolve } from 'node:path'
import { LlmspellError } from '@llmspell/base'
import { type Context, flag } from '../context.ts'
import { createSink } from '../render/sink.ts'
import { execute } from '../session/execute.ts'
import { noInput, readAll } from '../session/input.ts'
import { type Language, languageOfFile, languageOption } from '../session/languages.ts'
import { openKernel } from '../session/open-kernel.ts'
import { readScriptFile } from '../session/script-file.ts'

export async function run(context: Context): Promise<number> {
  const [file = '', ...args] = context.invocation.positionals
  const script = await readScript(context, file)
  const kernel = await openKernel(context)
  return execute(
    context,
    kernel,
    script.code,
    {
      language: script.language,
      namespace: flag(context, 'shared') ? 'shared' : 'fresh',
      source: script.source,
      args,
      cwd: context.cwd,
      storeHistory: false,
      ...(script.stdinUsed ? { input: noInput } : {}),
    },
    createSink(context, { result: false, quietExit: true }),
  )
}

interface Script {
  code: string
  language: Language
  /** What errors call it. */
  source: string
  stdinUsed: boolean
}

/** Read before a kernel is looked for, so that a mistyped name starts none. */
async function readScript(context: Context, file: string): Promise<Script> {
  const chosen = languageOption(context)
  if (file === '-') {
    if (!chosen)
      throw new LlmspellError('a script from stdin needs --lang', {
        code: 'usage.unknown_language',
        hint: 'Say --lang lua, --lang js or --lang ts.',
      })
    return { code: await readAll(context.terminal.stdin), language: chosen, source: '<stdin>', stdinUsed: true }
  }
  const path = resolve(context.cwd, file)
  const code = readScriptFile(path)
  return { code, language: chosen ?? languageOfFile(path), source: path, stdinUsed: false }
}
