import type { CallContext, CatalogueFunction, CatalogueModule, CatalogueParameter } from '@llmspell/script/catalogue'
import type { State } from '@llmspell/state'
import type { StateStore } from '../state-store.ts'

const KEY: CatalogueParameter = { name: 'key', type: 'string', doc: 'the name of the value, at most 512 bytes' }
const SCOPE: CatalogueParameter = {
  name: 'scope',
  type: 'string',
  optional: true,
  doc: '"global" (default): for every script of this user; "session": for this client alone; any other name, such as "agent:writer": a space of its own',
}
const PREFIX: CatalogueParameter = { name: 'prefix', type: 'string', optional: true, doc: 'only keys that begin with this' }
const LIMIT: CatalogueParameter = { name: 'limit', type: 'integer', optional: true, doc: 'at most so many' }

function options(...fields: CatalogueParameter[]): CatalogueParameter {
  return { name: 'options', type: 'object', optional: true, doc: 'where, and how', fields }
}

interface Options {
  scope?: string
  prefix?: string
  limit?: number
  version?: number
}

/** The `State` global. */
export function stateModule(store: StateStore): CatalogueModule {
  /** `run` gets the scope that the options (last argument) name, and the arguments. */
  const on =
    <T>(optionsAt: number, run: (state: State, scope: string, args: readonly unknown[], options: Options) => T): CatalogueFunction['run'] =>
    async (args, context) => {
      const given = (args[optionsAt] ?? {}) as Options
      return run(await store.open(), scopeName(given.scope, context), args, given)
    }

  return {
    name: 'State',
    doc: 'Values that outlive the script, the client and the kernel, shared by all languages. Anything JSON can hold; a write that returned is on disk.',
    functions: [
      {
        name: 'get',
        doc: 'The value of a key, or nothing when there is none.',
        parameters: [KEY, options(SCOPE)],
        result: { type: 'any', doc: 'the value' },
        sync: true,
        examples: {
          lua: 'State.set("greeting", "hello")\nassert(State.get("greeting") == "hello")\nassert(State.get("no such key") == nil)',
          javascript: "await State.set('greeting', 'hello')\nawait State.get('greeting')",
        },
        run: on(1, (state, scope, [key]) => state.get(scope, key as string)),
      },
      {
        name: 'set',
        doc: 'Stores a value under a key. With `version` only if the key is at that version (0: does not exist yet); otherwise fails with code `state.version_conflict`.',
        parameters: [
          KEY,
          { name: 'value', type: 'any', doc: 'text, a number, true or false, or a table of such values' },
          options(SCOPE, {
            name: 'version',
            type: 'integer',
            optional: true,
            doc: 'the version the key must be at, as `State.entry` tells it',
          }),
        ],
        sync: true,
        examples: {
          lua: 'State.set("config", { retries = 3, hosts = { "a", "b" } })\nState.set("draft", "mine alone", { scope = "session" })',
          javascript:
            "await State.set('config', { retries: 3, hosts: ['a', 'b'] })\nawait State.set('draft', 'mine alone', { scope: 'session' })",
        },
        run: on(2, (state, scope, [key, value], { version }) => {
          state.set(scope, key as string, value, version === undefined ? {} : { expectedVersion: version })
        }),
      },
      {
        name: 'delete',
        doc: 'Removes a key.',
        parameters: [KEY, options(SCOPE)],
        result: { type: 'boolean', doc: 'whether there was one' },
        sync: true,
        examples: { lua: 'State.set("temporary", 1)\nassert(State.delete("temporary"))\nassert(not State.delete("temporary"))' },
        run: on(1, (state, scope, [key]) => state.delete(scope, key as string)),
      },
      {
        name: 'has',
        doc: 'Whether a key exists.',
        parameters: [KEY, options(SCOPE)],
        result: { type: 'boolean', doc: 'true when it does' },
        sync: true,
        run: on(1, (state, scope, [key]) => state.has(scope, key as string)),
      },
      {
        name: 'list',
        doc: 'The keys of a scope, sorted.',
        parameters: [options(SCOPE, PREFIX, LIMIT)],
        result: { type: 'array', doc: 'the keys' },
        sync: true,
        examples: {
          lua: 'State.set("user:1", "Ada")\nState.set("user:2", "Grace")\nassert(#State.list({ prefix = "user:" }) == 2)',
          javascript: "await State.set('user:1', 'Ada')\nawait State.list({ prefix: 'user:' })",
        },
        run: on(0, (state, scope, _, filter) => state.keys(scope, listOptions(filter))),
      },
      {
        name: 'values',
        doc: 'Keys with their values.',
        parameters: [options(SCOPE, PREFIX, LIMIT)],
        result: { type: 'object', doc: 'a table from key to value' },
        sync: true,
        examples: { lua: 'State.set("user:1", "Ada")\nassert(State.values({ prefix = "user:" })["user:1"] == "Ada")' },
        run: on(0, (state, scope, _, filter) =>
          Object.fromEntries(state.entries(scope, listOptions(filter)).map(({ key, value }) => [key, value])),
        ),
      },
      {
        name: 'entry',
        doc: 'A value with its version, for `State.set` with `version`: several writers then never lose an update.',
        parameters: [KEY, options(SCOPE)],
        result: {
          type: ['object', 'nil'],
          doc: 'nothing when there is none, otherwise',
          fields: [
            { name: 'value', type: 'any', doc: 'the value' },
            { name: 'version', type: 'integer', doc: '1 after the first write, one more after each further one' },
            { name: 'updated', type: 'number', doc: 'when it was written, in seconds since 1970' },
          ],
        },
        sync: true,
        examples: {
          lua: 'State.set("counter", 1)\nlocal found = State.entry("counter")\nState.set("counter", found.value + 1, { version = found.version })\nassert(State.get("counter") == 2)',
        },
        run: on(1, (state, scope, [key]) => {
          const found = state.entry(scope, key as string)
          return found && { value: found.value, version: found.version, updated: found.updatedAt / 1000 }
        }),
      },
      {
        name: 'clear',
        doc: 'Removes all keys of a scope, or those with a prefix, at once.',
        parameters: [options(SCOPE, PREFIX)],
        result: { type: 'integer', doc: 'how many there were' },
        sync: true,
        run: on(0, (state, scope, _, { prefix }) => state.clear(scope, prefix)),
      },
      {
        name: 'scopes',
        doc: 'The scopes that hold something.',
        parameters: [],
        result: { type: 'array', doc: 'their names; a session is "session:" and its id' },
        sync: true,
        run: async () => (await store.open()).scopes(),
      },
    ],
  }
}

/** `session` means the session of the client that asked. */
function scopeName(scope: string | undefined, context: CallContext): string {
  if (scope === undefined) return 'global'
  return scope === 'session' ? `session:${context.session}` : scope
}

function listOptions({ prefix, limit }: Options): { prefix?: string; limit?: number } {
  return { ...(prefix === undefined ? {} : { prefix }), ...(limit === undefined ? {} : { limit }) }
}
