import { closeSync, fsyncSync, openSync, realpathSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { codeOf, LlmspellError, messageOf } from '@llmspell/base'
import { makeDirectory } from '@llmspell/base/make-directory'
import { type LoadedConfig, type Origin, readSettings, suggestSetting } from './load.ts'
import { type ConfigProblem, configError } from './problem.ts'
import { type Config, isSetting, SETTING_NAMES, SETTINGS, type SettingName, shown } from './settings.ts'
import { locate, parseToml, readTomlFile, type TomlTable } from './toml-file.ts'

/** The name as given, or code `config.unknown_setting` with the nearest one. */
export function checkSettingName(name: string): SettingName {
  if (isSetting(name)) return name
  const group = SETTING_NAMES.filter((setting) => setting.startsWith(`${name}.`))
  if (group.length > 0)
    throw new LlmspellError(`"${name}" is a group of settings, not one`, {
      code: 'config.unknown_setting',
      data: { name, group },
      hint: `It has ${group.join(', ')}.`,
    })
  const suggestion = suggestSetting(name)
  throw new LlmspellError(`unknown setting "${name}"${suggestion === undefined ? '' : `; did you mean "${suggestion}"?`}`, {
    code: 'config.unknown_setting',
    data: { name, ...(suggestion === undefined ? {} : { suggestion }) },
    hint: '`llmspell config show` lists all settings.',
  })
}

export interface ShownSetting {
  name: SettingName
  value: Config[SettingName]
  /** The value as it would stand in a file: `"30m"`. */
  toml: string
  origin: Origin
  /** In `origin.source`, when that is a file. */
  line?: number
  doc: string
}

/** Every setting with its value and where that comes from, to the line. */
export async function showConfig({ config, origins, files }: LoadedConfig): Promise<ShownSetting[]> {
  const places = new Map(
    await Promise.all(files.map(async ({ path }) => [path, await locate((await readTomlFile(path))?.text ?? '')] as const)),
  )
  return SETTING_NAMES.map((name) => {
    const origin = origins.get(name) as Origin
    const line = origin.source === undefined ? undefined : places.get(origin.source)?.get(name)?.line
    return {
      name,
      value: config[name],
      toml: shown(name, config[name]),
      origin,
      ...(line === undefined ? {} : { line }),
      doc: SETTINGS[name].doc,
    }
  })
}

/** All that is wrong with one file; an empty list for a good one. Throws code `config.no_file` when there is none. */
export async function validateConfigFile(path: string, env: Readonly<Record<string, string | undefined>>): Promise<ConfigProblem[]> {
  try {
    const file = await readTomlFile(path)
    if (file === undefined) throw noFile(path)
    return (await readSettings(file, env)).problems
  } catch (error) {
    if (LlmspellError.is(error) && error.code === 'config.invalid') return error.data['problems'] as ConfigProblem[]
    throw error
  }
}

function noFile(path: string): LlmspellError {
  return new LlmspellError(`there is no configuration file ${path}`, {
    code: 'config.no_file',
    data: { path },
    hint: '`llmspell config init` writes one with every setting and its default.',
  })
}

/** Writes one setting to a file, keeping comments, order and everything else in it. The value is text, read as that setting's kind. */
export async function setConfigValue(path: string, setting: string, text: string): Promise<void> {
  const name = checkSettingName(setting)
  const { kind } = SETTINGS[name]
  let value: Config[SettingName]
  try {
    value = kind.parse(text)
  } catch (error) {
    throw configError([{ source: `the value for ${name}`, key: name, message: messageOf(error) }], error)
  }
  // The kind's own text is its canonical TOML form, so that `90m` is written as "1h30m" and a size with its unit.
  const toml = (kind as { show(value: unknown): string }).show(value)
  const { value: written } = (await parseToml(`value = ${toml}`, name)) as { value: unknown }
  await edit(path, (table) => {
    const [section, key] = name.split('.') as [string, string]
    const existing = table[section]
    if (existing !== undefined && (typeof existing !== 'object' || existing === null || Array.isArray(existing)))
      throw configError([{ source: path, key: section, message: `"${section}" is not a section there; correct the file first` }])
    table[section] = { ...existing, [key]: written }
  })
}

/** Takes one setting out of a file, back to what the layers below say. False when it was not there. */
export async function unsetConfigValue(path: string, setting: string): Promise<boolean> {
  const [section, key] = checkSettingName(setting).split('.') as [string, string]
  let found = false
  await edit(path, (table) => {
    const existing = table[section] as TomlTable | undefined
    found = existing !== undefined && Object.hasOwn(existing, key)
    if (found) delete existing?.[key]
  })
  return found
}

async function edit(path: string, change: (table: TomlTable) => void): Promise<void> {
  const file = await readTomlFile(path)
  const text = file?.text ?? ''
  const table = structuredClone(file?.table ?? {})
  change(table)
  const { patch } = await import('@decimalturn/toml-patch')
  const patched = text.trim() === '' ? text + (await stringify(table)) : patch(text, table)
  await parseToml(patched, path)
  if (patched !== text) writeAtomically(path, patched, fileMode(path))
}

async function stringify(table: TomlTable): Promise<string> {
  const { stringify } = await import('smol-toml')
  return stringify(table)
}

/** Writes a file in which every setting stands as a comment with its default. Code `config.exists` unless `force`. */
export function initConfig(path: string, options: { force?: boolean } = {}): void {
  if (!options.force && statSync(path, { throwIfNoEntry: false }) !== undefined) {
    throw new LlmspellError(`${path} exists already`, {
      code: 'config.exists',
      data: { path },
      hint: 'Change it with `llmspell config set`, or use --force to begin anew.',
    })
  }
  writeAtomically(path, configTemplate(), fileMode(path))
}

export function configTemplate(): string {
  const lines = ['# llmspell configuration. Every setting is listed with its default: take the "#" away to change one.']
  let section = ''
  for (const name of SETTING_NAMES) {
    const [own, key] = name.split('.') as [string, string]
    if (own !== section) {
      section = own
      lines.push('', `[${section}]`)
    }
    const { kind, default: value, doc } = SETTINGS[name]
    lines.push(`# ${doc} (${kind.name})`, `#${key} = ${shown(name, value)}`)
  }
  return `${lines.join('\n')}\n`
}

const PRIVATE_FILE = 0o600

function fileMode(path: string): number {
  return (statSync(path, { throwIfNoEntry: false })?.mode ?? PRIVATE_FILE) & 0o777
}

/** A reader sees the old text or the new one, never half of it. A symbolic link, as dotfile managers make, stays one. */
function writeAtomically(path: string, text: string, mode: number): void {
  makeDirectory(dirname(path), 0o700)
  const target = resolveLink(path)
  const temporary = `${target}.${process.pid}.tmp`
  try {
    const descriptor = openSync(temporary, 'wx', mode)
    try {
      writeSync(descriptor, text)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    renameSync(temporary, target)
  } catch (cause) {
    rmSync(temporary, { force: true })
    throw new LlmspellError(`cannot write ${path}: ${messageOf(cause)}`, { code: 'config.write_failed', data: { path }, cause })
  }
}

function resolveLink(path: string): string {
  try {
    return realpathSync(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return path
    throw error
  }
}
