import { extname, isAbsolute, resolve } from 'node:path'

export type Language = 'lua' | 'javascript' | 'typescript'

/** A debug configuration as a user wrote it, or as VS Code gives it when there is none: then all is missing. */
export type Configuration = Readonly<Record<string, unknown>>

/** The file of the active editor. */
export interface ActiveFile {
  /** Where the editor's document lies; undefined for one that is not a file. */
  readonly path: string | undefined
  readonly languageId: string
}

export type Checked = { readonly configuration: Record<string, unknown> } | { readonly problem: string }

const BY_ENDING: Readonly<Record<string, Language>> = {
  '.lua': 'lua',
  '.js': 'javascript',
  '.mjs': 'javascript',
  '.cjs': 'javascript',
  '.ts': 'typescript',
  '.mts': 'typescript',
  '.cts': 'typescript',
}

export function languageOfFile(path: string): Language | undefined {
  return BY_ENDING[extname(path).toLowerCase()]
}

export function isLanguage(id: string): id is Language {
  return id === 'lua' || id === 'javascript' || id === 'typescript'
}

/** What F5 means without a launch.json; what lacks in one that was begun. Before variables such as `${file}` are replaced. */
export function completeConfiguration(given: Configuration, active: ActiveFile | undefined): Checked {
  const begun = Object.keys(given).some((key) => !key.startsWith('__') && given[key] !== undefined && key !== 'noDebug')
  if (!begun) {
    if (!active) return { problem: 'Open the Lua, JavaScript or TypeScript file that shall be debugged.' }
    return configurationOfFile(active, given)
  }
  const configuration: Record<string, unknown> = { ...given, type: 'llmspell' }
  configuration['request'] ??= 'launch'
  configuration['name'] ??= configuration['request'] === 'attach' ? 'Attach to the kernel' : 'Debug'
  if (configuration['request'] === 'launch') {
    configuration['program'] ??= '${file}'
    configuration['cwd'] ??= '${workspaceFolder}'
  }
  return { configuration }
}

/** A launch of the file in the editor. `cwd` is the folder of the workspace, if the file is in one, else the file's own. */
export function configurationOfFile(active: ActiveFile, given: Configuration = {}, workspaceFolder?: string): Checked {
  const { path, languageId } = active
  if (path === undefined) return { problem: 'Save the file first: a kernel runs files that lie on disk.' }
  const language = languageOfFile(path) ?? (isLanguage(languageId) ? languageId : undefined)
  if (!language) return { problem: `llmspell runs Lua, JavaScript and TypeScript; ${path} is none of them.` }
  const name = path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1)
  return {
    configuration: {
      ...given,
      type: 'llmspell',
      request: 'launch',
      name: `Debug ${name}`,
      program: path,
      cwd: workspaceFolder ?? '${workspaceFolder}',
      ...(languageOfFile(path) ? {} : { language }),
    },
  }
}

const KERNEL_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/**
 * The last look before a session starts, variables replaced: relative paths are taken from the workspace folder, and what the adapter
 * would refuse, or worse misunderstand, is told in words of launch.json.
 */
export function checkConfiguration(given: Configuration, folder: string | undefined, isFile: (path: string) => boolean): Checked {
  const configuration: Record<string, unknown> = { ...given }
  const { request, kernel, onDisconnect } = configuration
  if (request !== 'launch' && request !== 'attach') return { problem: `"request" is "launch" or "attach", not ${shown(request)}.` }
  if (kernel !== undefined && !(typeof kernel === 'string' && KERNEL_ID.test(kernel)))
    return { problem: `"kernel" is the id of a kernel, as the view of kernels shows it, not ${shown(kernel)}.` }
  if (onDisconnect !== undefined && !['continue', 'terminate', 'stay'].includes(String(onDisconnect)))
    return { problem: `"onDisconnect" is "continue", "terminate" or "stay", not ${shown(onDisconnect)}.` }
  for (const name of ['stopOnEntry', 'recordHistory'])
    if (configuration[name] !== undefined && typeof configuration[name] !== 'boolean')
      return { problem: `"${name}" is true or false, not ${shown(configuration[name])}.` }
  return request === 'attach' ? checkAttach(configuration) : checkLaunch(configuration, folder, isFile)
}

function checkAttach(configuration: Record<string, unknown>): Checked {
  const { run } = configuration
  if (run !== undefined && (typeof run !== 'string' || run === ''))
    return { problem: `"run" is an execution id or the path of a running script, not ${shown(run)}.` }
  return { configuration }
}

function checkLaunch(configuration: Record<string, unknown>, folder: string | undefined, isFile: (path: string) => boolean): Checked {
  const { program, args, cwd, env, language } = configuration
  if (typeof program !== 'string' || program === '') return { problem: '"program" is missing: the path of the script to debug.' }
  const path = isAbsolute(program) || folder === undefined ? program : resolve(folder, program)
  if (!isAbsolute(path)) return { problem: `"program" is an absolute path, not ${shown(program)}.` }
  if (!isFile(path)) return { problem: `"program": there is no file ${path}.` }
  if (language !== undefined && !isLanguage(String(language)))
    return { problem: `"language" is "lua", "javascript" or "typescript", not ${shown(language)}.` }
  if (language === undefined && !languageOfFile(path))
    return { problem: `The ending of ${path} tells no language. Add "language": "lua", "javascript" or "typescript".` }
  if (args !== undefined && !(Array.isArray(args) && args.every((word) => typeof word === 'string')))
    return { problem: `"args" is an array of strings, not ${shown(args)}.` }
  if (env !== undefined && !isEnvironment(env))
    return { problem: `"env" is an object of strings, or null to remove one, not ${shown(env)}.` }
  if (cwd !== undefined && typeof cwd !== 'string') return { problem: `"cwd" is a path, not ${shown(cwd)}.` }
  configuration['program'] = path
  if (cwd) configuration['cwd'] = folder === undefined ? cwd : resolve(folder, cwd)
  else delete configuration['cwd']
  return { configuration }
}

function isEnvironment(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((item) => item === null || typeof item === 'string')
  )
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}
