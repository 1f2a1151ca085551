import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { nearest } from '@llmspell/base'

/** What a setting's value may be. Small enough to need no schema library, which would cost the kernel more time than all else it loads. */
export interface Kind<T> {
  /** For people: `duration`, `one of "ipc", "tcp"`. */
  readonly name: string
  /** From a TOML value; throws an `Error` that completes the sentence "it …". */
  read(value: unknown): T
  /** From text that has no type, such as an environment variable or a command line. Same throws. */
  parse(text: string): T
  /** As TOML. */
  show(value: T): string
}

/** Absolute, so that it is the same file from every directory; `~/` is the home directory. Empty is none. */
export function path(): Kind<string> {
  const read = (value: unknown): string => {
    if (typeof value !== 'string') return refuse(`must be a path, not ${describe(value)}`)
    const expanded = value.startsWith('~/') ? join(homedir(), value.slice(2)) : value
    return expanded === '' || isAbsolute(expanded)
      ? expanded
      : refuse(`must be an absolute path or begin with "~/", not ${describe(value)}`)
  }
  return { name: 'path', read, parse: read, show: (value) => JSON.stringify(value) }
}

export function boolean(): Kind<boolean> {
  return {
    name: 'true or false',
    read: (value) => (typeof value === 'boolean' ? value : refuse(`must be true or false, not ${describe(value)}`)),
    parse(value) {
      if (/^(true|1|yes|on)$/i.test(value)) return true
      if (/^(false|0|no|off)$/i.test(value)) return false
      return refuse(`must be true or false, not ${describe(value)}`)
    },
    show: String,
  }
}

export function choice<const T extends string>(...values: T[]): Kind<T> {
  const name = `one of ${values.map((value) => JSON.stringify(value)).join(', ')}`
  const read = (value: unknown): T => {
    if (values.includes(value as T)) return value as T
    const near = typeof value === 'string' ? nearest(value, values) : undefined
    return refuse(`must be ${name}, not ${describe(value)}${near === undefined ? '' : `; did you mean "${near}"?`}`)
  }
  return { name, read, parse: read, show: (value) => JSON.stringify(value) }
}

export function integer(bounds: { minimum?: number; maximum?: number } = {}): Kind<number> {
  const { minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER } = bounds
  const read = (value: unknown): number => {
    if (!Number.isSafeInteger(value)) return refuse(`must be a whole number, not ${describe(value)}`)
    const number = value as number
    if (number < minimum) return refuse(`must be ${minimum} or more, not ${number}`)
    if (number > maximum) return refuse(`must be ${maximum} or less, not ${number}`)
    return number
  }
  return { name: 'whole number', read, parse: (value) => read(/^[+-]?\d+$/.test(value.trim()) ? Number(value) : value), show: String }
}

const MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** In milliseconds; written with units ("90s", "1h30m", "500ms"), but for 0. */
export function duration(): Kind<number> {
  const read = (value: unknown): number => {
    if (value === 0 || value === '0') return 0
    if (typeof value === 'string' && /^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(value)) {
      let ms = 0
      for (const [, amount, unit] of value.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) ms += Number(amount) * MS[unit as keyof typeof MS]
      if (ms <= MAX_TIMER_MS) return Math.round(ms)
      return refuse('must be 24 days at most')
    }
    return refuse(`must be a duration such as "30m", "90s" or "1h30m", not ${describe(value)}`)
  }
  return {
    name: 'duration',
    read,
    parse: (value) => read(value.trim()),
    show(ms) {
      if (ms === 0) return '"0"'
      let rest = ms
      let shown = ''
      for (const unit of ['d', 'h', 'm', 's', 'ms'] as const) {
        const count = Math.floor(rest / MS[unit])
        rest -= count * MS[unit]
        if (count > 0) shown += count + unit
      }
      return `"${shown}"`
    },
  }
}

/** Longer timers fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

const BYTES = { B: 1, kB: 1e3, KB: 1e3, MB: 1e6, GB: 1e9, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const

/** In bytes; a number, or text with a unit: "512MB" (a million), "1GiB" (1024³). */
export function size(bounds: { minimum?: number } = {}): Kind<number> {
  const { minimum = 0 } = bounds
  const show = (bytes: number): string => {
    for (const unit of ['GiB', 'MiB', 'KiB', 'GB', 'MB', 'kB'] as const) {
      if (bytes > 0 && bytes % BYTES[unit] === 0) return `"${bytes / BYTES[unit]}${unit}"`
    }
    return String(bytes)
  }
  const read = (value: unknown): number => {
    const match = typeof value === 'string' ? /^(\d+(?:\.\d+)?)\s*(B|kB|KB|MB|GB|KiB|MiB|GiB)?$/.exec(value) : null
    const bytes = match ? Math.round(Number(match[1]) * BYTES[(match[2] ?? 'B') as keyof typeof BYTES]) : value
    if (!Number.isSafeInteger(bytes) || (bytes as number) < 0)
      return refuse(`must be a size such as "512MB" or "1GiB", not ${describe(value)}`)
    if ((bytes as number) < minimum) return refuse(`must be ${show(minimum)} or more, not ${describe(value)}`)
    return bytes as number
  }
  return { name: 'size', read, parse: (value) => read(value.trim()), show }
}

function refuse(what: string): never {
  throw new Error(what)
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (value instanceof Date) return 'a date'
  if (typeof value === 'object' && value !== null) return 'a table'
  return JSON.stringify(value) ?? String(value)
}
