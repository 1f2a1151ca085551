import { LlmspellError } from '@llmspell/base'

/** Its writes after the first await would fall outside the transaction. */
export function refuseAsync<T>(result: T): T {
  if (typeof (result as { then?: unknown } | null | undefined)?.then !== 'function') return result
  throw new LlmspellError('a transaction must not be async', { code: 'state.async_transaction' })
}
