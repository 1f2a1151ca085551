import { inspect } from 'node:util'
import { type Context, createContext, Script } from 'node:vm'
import type { MimeBundle } from '../../engine.ts'
import { DEBUG_HOOK } from '../source/rewrite.ts'
import { toBundle } from './show.ts'

/** What scripts find in the global object, as against what they put there. */
let found: ReadonlySet<string | symbol> = new Set()

/** Called when the globals of a script are complete. */
export function rememberGlobals(): void {
  found = new Set(Reflect.ownKeys(globalThis))
}

/** Where a debugger finds what it has put into the script thread. It cannot wait for a message: the thread may be busy for ever. */
export function installDebugHook(): void {
  let realm: Context | undefined
  const { ownKeys, getOwnPropertyDescriptor, getPrototypeOf, apply, set } = Reflect
  const reflect = { ownKeys, getOwnPropertyDescriptor, getPrototypeOf, apply, set }
  const hook = {
    agent: undefined as unknown,
    /** Evaluates the debugger's part in a realm of its own. */
    install(source: string, emit: unknown): unknown {
      realm ??= createContext()
      const make = new Script(source, { filename: 'llmspell:agent' }).runInContext(realm) as (...args: unknown[]) => unknown
      hook.agent = make(emit, inspect, Error, (key: string) => found.has(key), reflect)
      return hook.agent
    },
    /** A value as the result of a cell, in JSON. Undefined when it takes a promise to make it. */
    render(value: unknown): string | undefined {
      const bundle: MimeBundle | Promise<MimeBundle | undefined> | undefined = toBundle(value)
      return bundle === undefined || bundle instanceof Promise ? undefined : JSON.stringify(bundle)
    },
  }
  Object.defineProperty(globalThis, DEBUG_HOOK, { value: hook, writable: false, configurable: false, enumerable: false })
}
