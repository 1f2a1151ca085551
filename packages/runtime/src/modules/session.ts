import type { CatalogueModule } from '@llmspell/script/catalogue'
import type { StateStore } from '../state-store.ts'

/** The `Session` global: the client's Jupyter session, one per connected program and notebook. Metadata lives in the state store. */
export function sessionModule(store: StateStore): CatalogueModule {
  const scope = (session: string): string => `session-metadata:${session}`
  return {
    name: 'Session',
    doc: 'The session of the client that runs this code, and notes about it that are kept: a title, tags, what it is for.',
    functions: [
      {
        name: 'id',
        doc: 'The id of the session: the same for all code that one client sends.',
        parameters: [],
        result: { type: 'string', doc: 'the id' },
        sync: true,
        examples: { lua: 'assert(#Session.id() > 0)', javascript: 'await Session.id()' },
        run: (_, { session }) => session,
      },
      {
        name: 'get',
        doc: 'A note of this session, or all of them.',
        parameters: [{ name: 'key', type: 'string', optional: true, doc: 'its name; without it all notes are given' }],
        result: { type: 'any', doc: 'the value, or a table of all' },
        sync: true,
        examples: {
          lua: 'Session.set("title", "Experiment 7")\nassert(Session.get("title") == "Experiment 7")\nassert(Session.get().title == "Experiment 7")',
        },
        async run([key], { session }) {
          const state = await store.open()
          if (key !== undefined) return state.get(scope(session), key as string)
          return Object.fromEntries(state.entries(scope(session)).map((entry) => [entry.key, entry.value]))
        },
      },
      {
        name: 'set',
        doc: 'Keeps a note of this session. Without a value the note is removed.',
        parameters: [
          { name: 'key', type: 'string', doc: 'its name' },
          { name: 'value', type: 'any', optional: true, doc: 'anything JSON can hold' },
        ],
        sync: true,
        examples: { javascript: "await Session.set('tags', ['draft', 'numbers'])\nawait Session.get('tags')" },
        async run([key, value], { session }) {
          const state = await store.open()
          if (value === undefined) state.delete(scope(session), key as string)
          else state.set(scope(session), key as string, value)
        },
      },
    ],
  }
}
