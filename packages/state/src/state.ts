import { LlmspellError } from '@llmspell/base'
import type { StateDriver } from './driver.ts'
import { encodeJson, type JsonValue } from './json.ts'

export interface StateLimits {
  /** Bytes of one value's JSON text. Default 8 MiB. */
  maxValueBytes?: number
}

/** A value with its version, for compare-and-set. */
export interface StateValue {
  value: JsonValue
  /** 1 for the first write of the key, one more with each further write. */
  version: number
  /** Milliseconds since the epoch. */
  updatedAt: number
}

export interface SetOptions {
  /** Write only if the key is at this version (0: must not exist); otherwise throws code `state.version_conflict`. */
  expectedVersion?: number
}

export interface ListOptions {
  prefix?: string
  /** Default: all. */
  limit?: number
}

/**
 * Scoped key-value state over a driver: checks names, values and sizes, so that what was accepted comes back equal.
 * A write that returned is durable as far as the driver promises. Keys and scopes are compared byte by byte, listed in code point order.
 */
export interface State {
  /** `undefined` when the key does not exist. */
  get(scope: string, key: string): JsonValue | undefined
  entry(scope: string, key: string): StateValue | undefined
  /** The version written. */
  set(scope: string, key: string, value: unknown, options?: SetOptions): number
  /** True when the key existed. */
  delete(scope: string, key: string): boolean
  has(scope: string, key: string): boolean
  keys(scope: string, options?: ListOptions): string[]
  entries(scope: string, options?: ListOptions): { key: string; value: JsonValue }[]
  /** Deletes all keys of a scope that start with `prefix` at once; how many there were. */
  clear(scope: string, prefix?: string): number
  /** Scopes that hold at least one key. */
  scopes(): string[]
  /** All writes in `run`, which must not be async, or none when it throws. */
  transaction<T>(run: () => T): T
  close(): void
}

const DEFAULT_MAX_VALUE_BYTES = 8 * 1024 * 1024

export function createState(driver: StateDriver, limits: StateLimits = {}): State {
  const maxValueBytes = limits.maxValueBytes ?? DEFAULT_MAX_VALUE_BYTES
  return {
    get(scope, key) {
      const found = driver.get(checkScope(scope), checkKey(key))
      return found && (JSON.parse(found.value) as JsonValue)
    },
    entry(scope, key) {
      const found = driver.get(checkScope(scope), checkKey(key))
      return found && { value: JSON.parse(found.value) as JsonValue, version: found.version, updatedAt: found.updatedAt }
    },
    set(scope, key, value, options) {
      checkScope(scope)
      checkKey(key)
      const text = encodeJson(value)
      checkSize(text, maxValueBytes, key)
      return driver.put(scope, key, text, checkVersion(options?.expectedVersion)).version
    },
    delete: (scope, key) => driver.delete(checkScope(scope), checkKey(key)),
    has: (scope, key) => driver.get(checkScope(scope), checkKey(key)) !== undefined,
    keys: (scope, options) => driver.keys(checkScope(scope), checkPrefix(options?.prefix), checkLimit(options?.limit)),
    entries: (scope, options) =>
      driver
        .scan(checkScope(scope), checkPrefix(options?.prefix), checkLimit(options?.limit))
        .map(({ key, value }) => ({ key, value: JSON.parse(value) as JsonValue })),
    clear(scope, prefix) {
      checkScope(scope)
      return driver.transaction(() => {
        const keys = driver.keys(scope, checkPrefix(prefix))
        for (const key of keys) driver.delete(scope, key)
        return keys.length
      })
    },
    scopes: () => driver.scopes(),
    transaction: (run) => driver.transaction(run),
    close: () => driver.close(),
  }
}

/** Names end up in listings, logs and file exports, so they hold nothing unprintable; a lone surrogate has no UTF-8 form. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}]/u
const MAX_NAME_BYTES = 512

function checkScope(scope: unknown): string {
  return checkName(scope, 'scope')
}

function checkKey(key: unknown): string {
  return checkName(key, 'key')
}

function checkName(name: unknown, kind: 'scope' | 'key'): string {
  if (typeof name !== 'string') throw badName(kind, name, `must be a string, not ${name === null ? 'null' : typeof name}`)
  if (name === '') throw badName(kind, name, 'must not be empty')
  if (UNPRINTABLE.test(name)) throw badName(kind, name, 'must not hold control characters or broken UTF-16')
  if (name.length * 3 > MAX_NAME_BYTES && Buffer.byteLength(name) > MAX_NAME_BYTES)
    throw badName(kind, name, `must not be longer than ${MAX_NAME_BYTES} bytes`)
  return name
}

function badName(kind: string, name: unknown, why: string): LlmspellError {
  const shown = typeof name === 'string' && name !== '' ? ` ${JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name)}` : ''
  return new LlmspellError(`the ${kind}${shown} ${why}`, { code: `state.bad_${kind}` })
}

function checkPrefix(prefix: unknown): string {
  if (prefix === undefined || prefix === '') return ''
  return checkName(prefix, 'key')
}

function checkLimit(limit: unknown): number | undefined {
  if (limit === undefined || (Number.isSafeInteger(limit) && (limit as number) >= 0)) return limit as number | undefined
  throw new LlmspellError('the limit must be a whole number, 0 or more', { code: 'state.bad_limit' })
}

function checkVersion(version: unknown): number | undefined {
  if (version === undefined || (Number.isSafeInteger(version) && (version as number) >= 0)) return version as number | undefined
  throw new LlmspellError('the expected version must be a whole number, 0 or more', { code: 'state.bad_version' })
}

function checkSize(text: string, maxBytes: number, key: string): void {
  if (text.length * 3 <= maxBytes) return
  const bytes = Buffer.byteLength(text)
  if (bytes <= maxBytes) return
  throw new LlmspellError(`the value of ${JSON.stringify(key)} is ${bytes} bytes of JSON; at most ${maxBytes} are stored under one key`, {
    code: 'state.value_too_large',
    data: { key, bytes, maxBytes },
    hint: 'Split it over several keys or write a file, or raise state.max_value_size in the configuration.',
  })
}
