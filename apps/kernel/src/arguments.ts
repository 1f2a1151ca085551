import { parseArgs } from 'node:util'
import { LlmspellError, nearest } from '@llmspell/base'
import type { KernelRecord } from '@llmspell/jupyter'

export interface KernelArguments {
  /** Where to be reached, or (JEP 66) where to report it. */
  connectionFile?: string
  id?: string
  language?: KernelRecord['language']
  /** First of five tcp ports. */
  port?: number
  /** Milliseconds. */
  idleTimeout?: number
  startedBy?: KernelRecord['startedBy']
  logFile?: string
  readyFd?: number
  /** Words that mean nothing here. A Jupyter front end may add its own, so they are logged and not refused. */
  unknown: string[]
}

const LANGUAGES = ['lua', 'javascript', 'typescript'] as const
const STARTERS = ['auto', 'daemon', 'foreground', 'jupyter'] as const

const OPTIONS = {
  // ipykernel's short form, which some launchers write into kernelspecs.
  'connection-file': { type: 'string', short: 'f' },
  registration: { type: 'string' },
  id: { type: 'string' },
  language: { type: 'string' },
  port: { type: 'string' },
  'idle-timeout': { type: 'string' },
  'started-by': { type: 'string' },
  'log-file': { type: 'string' },
  'ready-fd': { type: 'string' },
} as const

/** Throws code `kernel.usage`. */
export function parseArguments(words: readonly string[]): KernelArguments {
  const { values, tokens } = parseArgs({ args: [...words], options: OPTIONS, strict: false, allowPositionals: true, tokens: true })
  const unknown: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') unknown.push(token.value)
    else if (token.kind === 'option' && !Object.hasOwn(OPTIONS, token.name)) unknown.push(token.rawName)
  }
  const text = (name: keyof typeof OPTIONS): string | undefined => {
    const value = values[name]
    if (value === undefined) return undefined
    if (typeof value !== 'string' || value === '') throw usage(`--${name} needs a value`)
    return value
  }
  const number = (name: keyof typeof OPTIONS, maximum: number): number | undefined => {
    const value = text(name)
    if (value === undefined) return undefined
    if (!/^\d+$/.test(value) || Number(value) > maximum)
      throw usage(`--${name} must be a whole number from 0 to ${maximum}, not "${value}"`)
    return Number(value)
  }
  const oneOf = <T extends string>(name: keyof typeof OPTIONS, known: readonly T[]): T | undefined => {
    const value = text(name)
    if (value === undefined || known.includes(value as T)) return value as T | undefined
    const near = nearest(value, known)
    throw usage(`--${name} must be one of ${known.join(', ')}, not "${value}"${near === undefined ? '' : `; did you mean "${near}"?`}`)
  }
  return withoutAbsent({
    connectionFile: text('registration') ?? text('connection-file'),
    id: text('id'),
    language: oneOf('language', LANGUAGES),
    port: number('port', 65_535 - 4),
    idleTimeout: number('idle-timeout', 2 ** 31 - 1),
    startedBy: oneOf('started-by', STARTERS),
    logFile: text('log-file'),
    readyFd: number('ready-fd', 1023),
    unknown,
  })
}

/** Where to report a failure, also when it is the command line that is wrong. */
export function readyDescriptor(words: readonly string[]): number | undefined {
  const at = words.findLastIndex((word) => word.startsWith('--ready-fd'))
  const digits = /^(?:--ready-fd=)?(\d+)$/.exec((words[at] === '--ready-fd' ? words[at + 1] : words[at]) ?? '')
  return digits === null ? undefined : Number(digits[1])
}

function usage(message: string): LlmspellError {
  return new LlmspellError(message, {
    code: 'kernel.usage',
    hint: 'The kernel process is started by `llmspell kernel start` or by a kernelspec from `llmspell kernelspec install`.',
  })
}

type Present<T> = { [K in keyof T]: Exclude<T[K], undefined> }

function withoutAbsent<T extends object>(values: T): Partial<Present<T>> & { unknown: string[] } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<Present<T>> & {
    unknown: string[]
  }
}
