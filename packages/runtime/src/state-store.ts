import type { Config, LlmspellPaths } from '@llmspell/config'
import { createMemoryDriver, createState, type State } from '@llmspell/state'

/**
 * State that is opened when it is first asked for: a kernel whose scripts never use it never loads SQLite. A store that could
 * not be opened is tried again at the next call, so that a repaired disk needs no restart. It never falls back to memory by itself.
 */
export interface StateStore {
  open(): Promise<State>
  close(): void
}

export function createStateStore(config: Config, paths: LlmspellPaths): StateStore {
  let opening: Promise<State> | undefined
  let state: State | undefined
  let closed = false

  async function open(): Promise<State> {
    state = createState(await openDriver(config, paths), { maxValueBytes: config['state.max_value_size'] })
    // Closed while it was being opened: the caller gets a store that says so.
    if (closed) state.close()
    return state
  }

  return {
    open() {
      opening ??= open().catch((error: unknown) => {
        opening = undefined
        throw error
      })
      return opening
    },
    close() {
      closed = true
      state?.close()
    },
  }
}

async function openDriver(config: Config, paths: LlmspellPaths) {
  if (config['state.driver'] === 'memory') return createMemoryDriver()
  const { createSqliteDriver } = await import('@llmspell/state/sqlite')
  return createSqliteDriver({ file: config['state.path'] || paths.stateDatabase, durability: config['state.durability'] })
}
