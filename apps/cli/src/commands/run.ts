import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { LlmspellError } from '@llmspell/base'
import { type Context, flag } from '../context.ts'
import { createSink } from '../render/sink.ts'
import { execute } from '../session/execute.ts'
import { noInput, readAll } from '../session/input.ts'
import { type Language, languageOfFile, languageOption } from '../session/languages.ts'
import { openKernel } from '../session/open-kernel.ts'

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
  const language = chosen ?? languageOfFile(path)
  return { code: readText(path), language, source: path, stdinUsed: false }
}

function readText(path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path))
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const reason = READ_ERRORS[code ?? ''] ?? `it cannot be read (${code})`
    throw new LlmspellError(`cannot run ${path}: ${reason}`, { code: 'usage.unreadable_script', data: { path, reason: code }, cause })
  }
}

const READ_ERRORS: Record<string, string> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a directory',
  EACCES: 'you may not read it',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'it is not UTF-8 text',
}
