import type { ModuleDescription } from '../../catalogue/catalogue.ts'
import { comms } from './comms.ts'
import { displays } from './display.ts'
import { modules } from './modules.ts'
import type { ScriptThread } from './script-thread.ts'

/** What scripts find in their global scope beside Node's own. A script may replace any of it. */
export function installGlobals(thread: ScriptThread): void {
  modules(thread)
  const { display, Display } = displays(thread)
  const globals: Record<string, unknown> = {
    display,
    Display,
    Comm: comms(thread),
    Log: logger(thread),
    sleep: (seconds: number) => sleep(seconds),
    input: (prompt: unknown = '', options: { password?: boolean } = {}) =>
      thread.input(String(prompt), options.password === true) ?? undefined,
    prompt: (text: unknown = '', preset?: unknown) => {
      const label = String(text)
      const line = thread.input(label === '' || /\s$/.test(label) ? label : `${label} `, false)
      return line === '' && preset !== undefined ? String(preset) : line
    },
  }
  for (const [name, value] of Object.entries(globals)) define(name, value)
  Object.defineProperty(globalThis, 'Args', {
    get: () => thread.cell?.args ?? [],
    set: (value: unknown) => {
      define('Args', value)
    },
    configurable: true,
  })
}

/** The functions of the catalogue: each sends a message to the kernel. */
export function installCatalogue(thread: ScriptThread, catalogue: readonly ModuleDescription[]): void {
  for (const module of catalogue) {
    if (module.languages && !module.languages.includes('javascript')) continue
    const target: Record<string, unknown> = {}
    for (const { name, sync } of module.functions) {
      const full = `${module.name}.${name}`
      const call = named(name, (...args: unknown[]): Promise<unknown> => thread.call(full, args, call))
      target[name] = call
      if (sync) target[`${name}Sync`] = named(`${name}Sync`, (...args: unknown[]) => thread.callSync(full, args))
    }
    define(module.name, Object.freeze(target))
  }
}

function define(name: string, value: unknown): void {
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false })
}

function named<T extends (...args: never[]) => unknown>(name: string, run: T): T {
  Object.defineProperty(run, 'name', { value: name })
  return run
}

function sleep(seconds: number): Promise<void> {
  if (typeof seconds !== 'number' || !(seconds >= 0)) throw new TypeError(`sleep: seconds must be a number from 0, not ${String(seconds)}`)
  return new Promise((resolve) => globalThis.setTimeout(resolve, Math.min(seconds * 1000, 2 ** 31 - 1)))
}

function logger(thread: ScriptThread): Record<string, unknown> {
  const at = (level: 'debug' | 'info' | 'warn' | 'error') =>
    named(level, (message: unknown, fields?: Record<string, unknown>) => {
      thread.send({ t: 'log', level, message: String(message), ...(fields && { fields }) })
    })
  return Object.freeze({ debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') })
}
