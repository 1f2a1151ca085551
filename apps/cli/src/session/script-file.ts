import { readFileSync } from 'node:fs'
import { LlmspellError } from '@llmspell/base'

/** The text of a script. Code `usage.unreadable_script` says why there is none. */
export function readScriptFile(path: string): string {
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
