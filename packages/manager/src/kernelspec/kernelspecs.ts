import { accessSync, chmodSync, constants, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { LlmspellError, messageOf } from '@llmspell/base'
import { makeDirectory } from '@llmspell/base/make-directory'
import { type KernelRecord, type Kernelspec, PROTOCOL_VERSION, parseKernelspec, serializeKernelspec } from '@llmspell/jupyter'
import { jupyterDataDirs, jupyterUserDataDir, sysPrefix } from './jupyter-paths.ts'
import { logoPng, logoSvg } from './logo.ts'

type Language = KernelRecord['language']
type Environment = Readonly<Record<string, string | undefined>>

export const KERNELSPEC_LANGUAGES: readonly Language[] = ['lua', 'javascript', 'typescript']

const DISPLAY_NAMES: Record<Language, string> = {
  lua: 'Lua 5.4 (llmspell)',
  javascript: 'JavaScript (llmspell)',
  typescript: 'TypeScript (llmspell)',
}

/** For whom: the user, everyone who uses a prefix, or the active Python environment. */
export type KernelspecScope = { type: 'user' } | { type: 'prefix'; directory: string } | { type: 'sys-prefix' }

export interface InstalledKernelspec {
  name: string
  directory: string
  spec: Kernelspec
  /** Why a Jupyter client could not start it. */
  problem?: string
}

export interface InstallOptions {
  scope: KernelspecScope
  languages: readonly Language[]
  /** Absolute path of the kernel process's entry. */
  entry: string
  env: Environment
}

/** Writes kernel.json and logos for each language; a kernelspec of ours that is there is replaced. */
export function installKernelspecs({ scope, languages, entry, env }: InstallOptions): { name: string; directory: string }[] {
  const parent = join(dataDir(scope, env), 'kernels')
  return languages.map((language) => {
    const name = specName(language)
    const directory = join(parent, name)
    refuseForeign(directory, name)
    try {
      writeSpec(parent, directory, language, entry)
    } catch (cause) {
      throw new LlmspellError(`cannot write ${directory}: ${messageOf(cause)}`, {
        code: 'kernelspec.not_writable',
        data: { directory },
        cause,
        hint: 'Install for yourself with --user, or name a directory you may write with --prefix DIR.',
      })
    }
    return { name, directory }
  })
}

/** Removes ours; returns what was there. */
export function uninstallKernelspecs({ scope, languages, env }: Omit<InstallOptions, 'entry'>): { name: string; directory: string }[] {
  const parent = join(dataDir(scope, env), 'kernels')
  return languages.flatMap((language) => {
    const name = specName(language)
    const directory = join(parent, name)
    if (!existsSync(directory)) return []
    refuseForeign(directory, name)
    rmSync(directory, { recursive: true })
    return [{ name, directory }]
  })
}

/** Ours in every directory Jupyter searches, each with what would keep it from starting. */
export function listKernelspecs(env: Environment): InstalledKernelspec[] {
  return jupyterDataDirs(env).flatMap((dir) =>
    KERNELSPEC_LANGUAGES.flatMap((language) => {
      const name = specName(language)
      const directory = join(dir, 'kernels', name)
      const spec = readSpec(directory)
      if (!spec) return []
      const problem = problemOf(spec, env)
      return [{ name, directory, spec, ...(problem === undefined ? {} : { problem }) }]
    }),
  )
}

export function specName(language: Language): string {
  return `llmspell-${language}`
}

/** argv is absolute: a Jupyter server does not see the PATH of a shell, and version managers' shims move. */
function kernelspecOf(language: Language, entry: string): Kernelspec {
  return {
    argv: [process.execPath, entry, '--connection-file', '{connection_file}', '--language', language],
    display_name: DISPLAY_NAMES[language],
    language,
    interrupt_mode: 'message',
    kernel_protocol_version: PROTOCOL_VERSION,
    metadata: { debugger: true, llmspell: { language } },
  }
}

function writeSpec(parent: string, directory: string, language: Language, entry: string): void {
  makeDirectory(parent)
  const fresh = mkdtempSync(join(parent, '.llmspell-'))
  try {
    const write = (file: string, content: string | Buffer): void => writeFileSync(join(fresh, file), content, { mode: 0o644 })
    write('kernel.json', serializeKernelspec(kernelspecOf(language, entry)))
    write('logo-svg.svg', logoSvg(language))
    for (const size of [32, 64]) write(`logo-${size}x${size}.png`, logoPng(language, size))
    // mkdtemp gives 0700; what is below a prefix is for everyone.
    chmodSync(fresh, 0o755)
    rmSync(directory, { recursive: true, force: true })
    renameSync(fresh, directory)
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
}

function dataDir(scope: KernelspecScope, env: Environment): string {
  switch (scope.type) {
    case 'user':
      return jupyterUserDataDir(env)
    case 'prefix':
      return join(scope.directory, 'share', 'jupyter')
    case 'sys-prefix':
      return join(sysPrefix(env), 'share', 'jupyter')
  }
}

/** Somebody else's kernel of this name is not ours to replace or remove. */
function refuseForeign(directory: string, name: string): void {
  if (!existsSync(join(directory, 'kernel.json')) || readSpec(directory)) return
  throw new LlmspellError(`${directory} holds a kernel "${name}" that llmspell did not install`, {
    code: 'kernelspec.foreign',
    data: { directory, name },
    hint: 'Remove that directory yourself if it is not needed.',
  })
}

function readSpec(directory: string): Kernelspec | undefined {
  try {
    const spec = parseKernelspec(readFileSync(join(directory, 'kernel.json'), 'utf8'), directory)
    return spec.metadata?.['llmspell'] === undefined ? undefined : spec
  } catch {
    return undefined
  }
}

function problemOf(spec: Kernelspec, env: Environment): string | undefined {
  const [program = '', script = ''] = spec.argv
  if (!isExecutable(program, env)) return `${program} is not there or not executable`
  return existsSync(script) ? undefined : `${script} is not there`
}

function isExecutable(program: string, env: Environment): boolean {
  const candidates = isAbsolute(program) ? [program] : (env['PATH'] ?? '').split(delimiter).map((dir) => join(dir, program))
  return candidates.some((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
