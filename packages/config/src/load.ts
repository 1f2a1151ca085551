import { lstatSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { messageOf, nearest } from '@llmspell/base'
import type { LlmspellPaths } from './paths.ts'
import { type ConfigProblem, configError } from './problem.ts'
import { type Config, defaultConfig, isSetting, SETTING_NAMES, SETTINGS, type SettingName } from './settings.ts'
import { locate, readTomlFile, type TomlFile, type TomlTable } from './toml-file.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Where a value came from; a later layer wins over an earlier one. */
export type Layer = 'default' | 'user' | 'project' | 'environment' | 'flag'

export interface Origin {
  layer: Layer
  /** The file or the variable. */
  source?: string
}

export interface LoadOptions {
  paths: LlmspellPaths
  env: Environment
  /** Where the search for `llmspell.toml` begins, going up. Without it no project file is read: a kernel that serves all projects has none. */
  cwd?: string
  /** Command-line values by setting name; text. */
  flags?: Readonly<Record<string, string>>
}

export interface LoadedConfig {
  readonly config: Readonly<Config>
  readonly origins: ReadonlyMap<SettingName, Origin>
  /** The files that were read, in order. */
  readonly files: readonly { layer: Layer; path: string }[]
  /** What was passed over, and why. */
  readonly warnings: readonly string[]
}

/**
 * Defaults < user file < project file < environment < flags. Nothing is ignored in silence: an unknown key, a wrong type, a
 * missing `${VARIABLE}` are all reported together in one error, code `config.invalid`.
 */
export async function loadConfig({ paths, env, cwd, flags }: LoadOptions): Promise<LoadedConfig> {
  const config = defaultConfig()
  const origins = new Map<SettingName, Origin>(SETTING_NAMES.map((name) => [name, { layer: 'default' }]))
  const files: { layer: Layer; path: string }[] = []
  const warnings: string[] = []
  const problems: ConfigProblem[] = []
  const set = (name: SettingName, value: unknown, origin: Origin): void => {
    ;(config as unknown as Record<string, unknown>)[name] = value
    origins.set(name, origin)
  }

  const addFile = async (layer: Layer, path: string): Promise<void> => {
    const file = await readTomlFile(path)
    if (file === undefined) return
    files.push({ layer, path })
    const { values, problems: found } = await readSettings(file, env)
    problems.push(...found)
    for (const [name, value] of values) set(name, value, { layer, source: path })
  }
  await addFile('user', paths.configFile)
  const project = cwd === undefined ? undefined : findProjectFile(cwd, warnings)
  if (project !== undefined && project !== paths.configFile) await addFile('project', project)

  const addText = (name: string, text: string, origin: Origin & { source: string }): void => {
    if (!isSetting(name)) {
      problems.push({ source: origin.source, ...unknownKey(name) })
      return
    }
    try {
      set(name, SETTINGS[name].kind.parse(text), origin)
    } catch (error) {
      problems.push({ source: origin.source, key: name, message: `${name} ${messageOf(error)}` })
    }
  }
  for (const [variable, text] of Object.entries(env)) {
    if (text === undefined || !variable.startsWith(ENVIRONMENT_PREFIX) || !variable.includes('__')) continue
    addText(settingOf(variable), text, { layer: 'environment', source: variable })
  }
  for (const [name, text] of Object.entries(flags ?? {})) addText(name, text, { layer: 'flag', source: `--${name}` })

  if (problems.length > 0) throw configError(problems)
  return { config, origins, files, warnings }
}

const ENVIRONMENT_PREFIX = 'LLMSPELL_'

/** `LLMSPELL_KERNEL__IDLE_TIMEOUT` → `kernel.idle_timeout`. Names without `__` (LLMSPELL_HOME) are not settings. */
function settingOf(variable: string): string {
  return variable.slice(ENVIRONMENT_PREFIX.length).toLowerCase().replaceAll('__', '.')
}

export function variableOf(name: SettingName): string {
  return ENVIRONMENT_PREFIX + name.replaceAll('.', '__').toUpperCase()
}

export const PROJECT_FILE = 'llmspell.toml'

/**
 * The nearest `llmspell.toml` at or above a directory. One that another user owns is passed over with a warning: in a shared
 * directory such as /tmp anybody could otherwise decide how our kernels run.
 */
export function findProjectFile(cwd: string, warnings: string[] = []): string | undefined {
  for (let directory = cwd; ; directory = dirname(directory)) {
    const path = join(directory, PROJECT_FILE)
    const found = lstatSync(path, { throwIfNoEntry: false })
    const uid = process.getuid?.()
    if (found !== undefined && (uid === undefined || found.uid === uid || found.uid === 0)) return path
    if (found !== undefined) warnings.push(`${path} is not read: it belongs to another user (id ${found.uid})`)
    if (directory === dirname(directory)) return undefined
  }
}

/** The settings of one file, and all that is wrong with it. */
export async function readSettings(
  file: TomlFile,
  env: Environment,
): Promise<{ values: Map<SettingName, unknown>; problems: ConfigProblem[] }> {
  const values = new Map<SettingName, unknown>()
  const problems: ConfigProblem[] = []
  for (const [name, value] of leaves(file.table, '')) {
    if (!isSetting(name)) {
      problems.push({ source: file.path, ...(SECTIONS.has(name) ? notAValue(name) : unknownKey(name)) })
      continue
    }
    try {
      values.set(name, SETTINGS[name].kind.read(typeof value === 'string' ? expand(value, env) : value))
    } catch (error) {
      problems.push({ source: file.path, key: name, message: `${name} ${messageOf(error)}` })
    }
  }
  if (problems.length > 0) {
    const places = await locate(file.text)
    for (const problem of problems) Object.assign(problem, places.get(problem.key as string))
  }
  return { values, problems }
}

const SECTIONS = new Set(SETTING_NAMES.map((name) => name.slice(0, name.lastIndexOf('.'))))

/** Values by dotted name. A table that is no section is one value: it is the table that is unknown, not what is in it. */
function* leaves(table: TomlTable, prefix: string): Generator<[string, unknown]> {
  for (const [key, value] of Object.entries(table)) {
    const name = prefix + key
    const isTable = typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
    if (isTable && SECTIONS.has(name)) yield* leaves(value as TomlTable, `${name}.`)
    else yield [name, value]
  }
}

function unknownKey(name: string): { key: string; message: string; suggestion?: string } {
  const suggestion = suggestSetting(name)
  return {
    key: name,
    message: `unknown setting "${name}"${suggestion === undefined ? '' : `; did you mean "${suggestion}"?`}`,
    ...(suggestion === undefined ? {} : { suggestion }),
  }
}

function notAValue(section: string): { key: string; message: string } {
  return { key: section, message: `"${section}" is a section, its settings stand below [${section}]` }
}

/** Also finds a setting that was written in the wrong section. */
export function suggestSetting(name: string): string | undefined {
  const last = name.slice(name.lastIndexOf('.') + 1)
  return (
    nearest(name, SETTING_NAMES) ??
    nearest(name, SECTIONS) ??
    SETTING_NAMES.find((known) => known.endsWith(`.${last}`)) ??
    SETTING_NAMES.find((known) => nearest(last, [known.slice(known.lastIndexOf('.') + 1)]) !== undefined)
  )
}

/** `${NAME}` and `${NAME:-otherwise}` from the environment; `$${` stands for `${`. */
function expand(value: string, env: Environment): string {
  return value.replaceAll(/\$(\$\{)|\$\{([^}]*)\}/g, (whole, escaped: string | undefined, inside: string | undefined) => {
    if (escaped !== undefined) return escaped
    const match = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/.exec(inside as string)
    if (match === null) throw new Error(`holds ${whole}, which is not \${NAME} or \${NAME:-otherwise}`)
    const found = env[match[1] as string]
    const result = found === undefined || found === '' ? (match[2] ?? found) : found
    if (result === undefined) throw new Error(`needs the environment variable ${match[1]}, which is not set`)
    return result
  })
}
