import { spawnSync } from 'node:child_process'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { LlmspellError } from '@llmspell/base'

type Environment = Readonly<Record<string, string | undefined>>

/** Where Jupyter keeps what belongs to the user. https://jupyter.readthedocs.io/en/stable/use/jupyter-directories.html#data-files */
export function jupyterUserDataDir(env: Environment): string {
  if (env['JUPYTER_DATA_DIR']) return env['JUPYTER_DATA_DIR']
  const home = env['HOME'] || homedir()
  if (process.platform === 'darwin') return join(home, 'Library', 'Jupyter')
  if (process.platform === 'win32') return join(env['APPDATA'] || join(home, 'AppData', 'Roaming'), 'jupyter')
  return join(env['XDG_DATA_HOME'] || join(home, '.local', 'share'), 'jupyter')
}

/** Data directories in Jupyter's order of search, as far as they can be known without asking Python. */
export function jupyterDataDirs(env: Environment): string[] {
  const given = (env['JUPYTER_PATH'] ?? '').split(delimiter).filter(Boolean)
  const prefix = activePrefix(env)
  const system =
    process.platform === 'win32'
      ? [join(env['PROGRAMDATA'] ?? 'C:\\ProgramData', 'jupyter')]
      : ['/usr/local/share/jupyter', '/usr/share/jupyter']
  const dirs = [...given, jupyterUserDataDir(env), ...(prefix === undefined ? [] : [join(prefix, 'share', 'jupyter')]), ...system]
  return [...new Set(dirs)]
}

/** `sys.prefix` of the active environment, else of the Python on PATH. Code `kernelspec.no_python`. */
export function sysPrefix(env: Environment): string {
  const active = activePrefix(env)
  if (active !== undefined) return active
  for (const python of ['python3', 'python']) {
    const { status, stdout } = spawnSync(python, ['-c', 'import sys; print(sys.prefix)'], {
      encoding: 'utf8',
      env: { ...env },
      timeout: 20_000,
    })
    if (status === 0) return stdout.trim()
  }
  throw new LlmspellError('there is no Python whose prefix could be used', {
    code: 'kernelspec.no_python',
    hint: 'Activate an environment, name a directory with --prefix DIR, or install for yourself with --user.',
  })
}

function activePrefix(env: Environment): string | undefined {
  return env['VIRTUAL_ENV'] || env['CONDA_PREFIX'] || undefined
}
