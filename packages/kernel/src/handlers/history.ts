import type { ContentOf } from '@llmspell/jupyter'
import type { HistoryEntry } from '../execution/history-store.ts'
import type { Handler } from '../feature.ts'
import type { Services } from '../services.ts'

/** Entries of a tail or search that names no number. */
const DEFAULT_COUNT = 1000

/** Inputs are kept as they were typed, so `raw` makes no difference. */
export function historyHandler({ history, historyStore }: Services): Handler<ContentOf<'history_request'>> {
  return async (content) => {
    const entries = await find(content)
    return { status: 'ok', history: entries.map((entry) => tupleOf(entry, content.output)) }
  }

  function find({
    hist_access_type,
    session = 0,
    start = 1,
    stop,
    n,
    pattern = '*',
    unique,
  }: ContentOf<'history_request'>): Promise<HistoryEntry[]> {
    switch (hist_access_type) {
      case 'range':
        return history.range(session, start, stop ?? undefined)
      case 'tail':
        return historyStore.tail(n ?? DEFAULT_COUNT)
      case 'search':
        return historyStore.search({ pattern, limit: n ?? DEFAULT_COUNT, unique })
    }
  }
}

function tupleOf({ session, line, source, output }: HistoryEntry, withOutput: boolean): unknown[] {
  return [session, line, withOutput ? [source, output ?? null] : source]
}
