import { boolean, choice, duration, integer, type Kind, path, size } from './kinds.ts'

/**
 * Every setting there is, by the name it has everywhere: `kernel.idle_timeout` is `idle_timeout` below `[kernel]` in a file,
 * `LLMSPELL_KERNEL__IDLE_TIMEOUT` in the environment and `config['kernel.idle_timeout']` here. A setting is listed once it does something.
 */
export interface Config {
  'kernel.language': 'lua' | 'javascript' | 'typescript'
  /** Milliseconds; 0 never. */
  'kernel.idle_timeout': number
  /** Bytes. */
  'kernel.memory_limit': number
  'kernel.transport': 'ipc' | 'tcp'
  'kernel.parallel_runs': number
  /** Milliseconds; 0 never. */
  'debug.notebook_patience': number
  'log.level': 'trace' | 'debug' | 'info' | 'warn' | 'error'
  /** Bytes. */
  'log.max_size': number
  'log.keep': number
  'state.driver': 'sqlite' | 'memory'
  /** Empty: `state.db` in the state directory. */
  'state.path': string
  'state.durability': 'normal' | 'full'
  /** Bytes. */
  'state.max_value_size': number
  'history.enabled': boolean
  'history.keep': number
}

export type SettingName = keyof Config

export interface Setting<T> {
  kind: Kind<T>
  default: T
  /** For `config init`, `config show` and the reference: one or two sentences. */
  doc: string
}

export const SETTINGS: { readonly [Name in SettingName]: Setting<Config[Name]> } = {
  'kernel.language': {
    kind: choice('lua', 'javascript', 'typescript'),
    default: 'lua',
    doc: 'Language of code that does not say which it is in. Files go by their ending, notebooks by their kernel.',
  },
  'kernel.idle_timeout': {
    kind: duration(),
    default: 30 * 60_000,
    doc: 'A kernel that was started because none ran stops after this time without work. "0" keeps it until it is stopped.',
  },
  'kernel.memory_limit': {
    kind: size({ minimum: 16 * 1024 ** 2 }),
    default: 1024 ** 3,
    doc: 'Most memory the scripts of one engine may use.',
  },
  'kernel.transport': {
    kind: choice('ipc', 'tcp'),
    default: 'ipc',
    doc: 'How clients of this user reach a kernel: sockets in a private directory, or ports on 127.0.0.1.',
  },
  'kernel.parallel_runs': {
    kind: integer({ minimum: 1, maximum: 64 }),
    default: 4,
    doc: 'Scripts started with `llmspell run` that one kernel executes at the same time; more wait their turn.',
  },
  'debug.notebook_patience': {
    kind: duration(),
    default: 0,
    doc: 'A cell that stands still in the debugger of a notebook goes on, without breakpoints, when the notebook has asked nothing for this time: it may be gone without a word. "0" waits for ever. Editors and `llmspell debug` are noticed when they go.',
  },
  'log.level': {
    kind: choice('trace', 'debug', 'info', 'warn', 'error'),
    default: 'info',
    doc: 'Least important message that the kernel writes to its log.',
  },
  'log.max_size': {
    kind: size({ minimum: 64 * 1024 }),
    default: 10 * 1024 ** 2,
    doc: 'A log file that reaches this size is renamed and a new one begun.',
  },
  'log.keep': { kind: integer({ minimum: 0, maximum: 1000 }), default: 3, doc: 'Renamed log files that are kept.' },
  'state.driver': {
    kind: choice('sqlite', 'memory'),
    default: 'sqlite',
    doc: 'Where State keeps its values: on disk, or in memory until the kernel ends.',
  },
  'state.path': { kind: path(), default: '', doc: 'The file of the sqlite driver; by default `state.db` in the state directory.' },
  'state.durability': {
    kind: choice('normal', 'full'),
    default: 'normal',
    doc: 'What a finished write survives: with "normal" the death of the kernel, with "full" a power cut too, at a few milliseconds a write.',
  },
  'state.max_value_size': { kind: size({ minimum: 1024 }), default: 8 * 1024 ** 2, doc: 'Largest value stored under one key, as JSON.' },
  'history.enabled': { kind: boolean(), default: true, doc: 'Keep the input history on disk. Without it, it ends with the kernel.' },
  'history.keep': { kind: integer({ minimum: 0 }), default: 50_000, doc: 'Inputs that are kept; the oldest go first.' },
}

export const SETTING_NAMES: readonly SettingName[] = Object.keys(SETTINGS) as SettingName[]

export function isSetting(name: string): name is SettingName {
  return Object.hasOwn(SETTINGS, name)
}

/** The setting's default is what stands in the file when the user writes it out. */
export function shown<Name extends SettingName>(name: Name, value: Config[Name]): string {
  return SETTINGS[name].kind.show(value)
}

export function defaultConfig(): Config {
  return Object.fromEntries(SETTING_NAMES.map((name) => [name, SETTINGS[name].default])) as unknown as Config
}
