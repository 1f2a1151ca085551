import { LlmspellError } from '@llmspell/base'

/** What every driver throws when `expectedVersion` is not what it found. `found` 0: the key does not exist. */
export function versionConflict(scope: string, key: string, expected: number, found: number): LlmspellError {
  const is = found === 0 ? 'does not exist' : `is at version ${found}`
  const should = expected === 0 ? 'was expected not to exist' : `was expected at version ${expected}`
  return new LlmspellError(`${JSON.stringify(key)} ${should}, but ${is}`, {
    code: 'state.version_conflict',
    data: { scope, key, expected, found },
    hint: 'Somebody wrote it in between: read it again and retry.',
  })
}
