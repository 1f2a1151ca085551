import { chmodSync, lstatSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { LlmspellError, messageOf } from '@llmspell/base'
import { makeDirectory } from '@llmspell/base/make-directory'

/**
 * Where everything of one user lives; the only place that decides it. `LLMSPELL_HOME` overrides all, otherwise the
 * XDG base directories: https://specifications.freedesktop.org/basedir-spec/latest/
 */
export interface LlmspellPaths {
  /** The user's configuration file. */
  readonly configFile: string
  /** Sockets, connection files and locks: made with `ensurePrivateDirectory` before use, gone after a reboot. */
  readonly runtimeDir: string
  /** One connection file per live kernel; the directory is the registry of kernels. */
  readonly kernelsDir: string
  /** Databases and logs. */
  readonly stateDir: string
  readonly stateDatabase: string
  readonly historyDatabase: string
  /** What was entered at prompts. */
  readonly replHistory: string
  /** What was entered in the terminal debugger. */
  readonly debugHistory: string
  readonly logsDir: string
  /** What can be made again: compiled code. */
  readonly cacheDir: string
  connectionFile(kernelId: string): string
  logFile(kernelId: string): string
  /**
   * The `ip` of a connection file with `transport: "ipc"`; the five sockets are `<base>-1` … `<base>-5`. Beside the connection
   * file, or, where a unix socket address (107 bytes on Linux) would not hold that, in a short directory named by a hash.
   */
  ipcBase(kernelId: string): string
  /** The socket on which debuggers find a kernel, while it listens for them. */
  debugSocket(kernelId: string): string
}

type Environment = Readonly<Record<string, string | undefined>>

/** Pure but for one look whether `XDG_RUNTIME_DIR` exists; makes nothing. */
export function resolvePaths(env: Environment = process.env): LlmspellPaths {
  const home = nonEmpty(env['LLMSPELL_HOME'])
  if (home !== undefined) {
    const base = resolve(home)
    return layOut(join(base, 'config.toml'), join(base, 'run'), join(base, 'state'), join(base, 'cache'))
  }
  const userHome = nonEmpty(env['HOME']) ?? homedir()
  const config = absolute(env['XDG_CONFIG_HOME']) ?? join(userHome, '.config')
  const state = absolute(env['XDG_STATE_HOME']) ?? join(userHome, '.local', 'state')
  const cache = absolute(env['XDG_CACHE_HOME']) ?? join(userHome, '.cache')
  const runtime = absolute(env['XDG_RUNTIME_DIR'])
  return layOut(
    join(config, 'llmspell', 'config.toml'),
    runtime !== undefined && isDirectory(runtime) ? join(runtime, 'llmspell') : shortRuntimeDir(),
    join(state, 'llmspell'),
    join(cache, 'llmspell'),
  )
}

function layOut(configFile: string, runtimeDir: string, stateDir: string, cacheDir: string): LlmspellPaths {
  const kernelsDir = join(runtimeDir, 'kernels')
  const logsDir = join(stateDir, 'logs')
  const ipcBase = (kernelId: string): string => {
    const beside = join(kernelsDir, checkKernelId(kernelId))
    if (Buffer.byteLength(beside) + DEBUG_SOCKET.length <= SOCKET_PATH_BYTES) return beside
    return join(shortRuntimeDir(), shortHash(runtimeDir), shortHash(kernelId))
  }
  return {
    configFile,
    runtimeDir,
    kernelsDir,
    stateDir,
    stateDatabase: join(stateDir, 'state.db'),
    historyDatabase: join(stateDir, 'history.db'),
    replHistory: join(stateDir, 'repl-history.jsonl'),
    debugHistory: join(stateDir, 'debug-history.jsonl'),
    logsDir,
    cacheDir,
    connectionFile: (kernelId) => join(kernelsDir, `${checkKernelId(kernelId)}.json`),
    logFile: (kernelId) => join(logsDir, `${checkKernelId(kernelId)}.log`),
    ipcBase,
    debugSocket: (kernelId) => ipcBase(kernelId) + DEBUG_SOCKET,
  }
}

/** Behind the ipc base, as `-1` to `-5` are; the longest of them. */
const DEBUG_SOCKET = '-dap'

/** `sun_path` without its end: 108 bytes on Linux, 104 on macOS. */
const SOCKET_PATH_BYTES = process.platform === 'darwin' ? 103 : 107

const KERNEL_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** A kernel id names files: letters, digits, `.`, `_` and `-`, at most 64, the first a letter or digit. Throws code `config.bad_kernel_id`. */
export function checkKernelId(id: string): string {
  if (KERNEL_ID.test(id)) return id
  throw new LlmspellError(`"${id.slice(0, 80)}" is not a kernel id`, {
    code: 'config.bad_kernel_id',
    data: { id },
    hint: 'Use letters, digits, ".", "_" and "-", at most 64 of them, starting with a letter or digit.',
  })
}

/**
 * Makes the directory (0700) and refuses one that another user could read or replace: a symbolic link, a foreign owner.
 * Wider permissions of our own directory are narrowed. Throws code `config.unsafe_directory`.
 */
export function ensurePrivateDirectory(directory: string): void {
  try {
    makeDirectory(directory, 0o700)
    if (process.platform === 'win32') return
    const found = lstatSync(directory)
    if (!found.isDirectory()) throw new Error('it is not a directory')
    if (found.uid !== process.getuid?.()) throw new Error(`it belongs to user id ${found.uid}`)
    if ((found.mode & 0o077) !== 0) chmodSync(directory, 0o700)
  } catch (cause) {
    throw new LlmspellError(`cannot use the directory ${directory}: ${messageOf(cause)}`, {
      code: 'config.unsafe_directory',
      data: { directory },
      cause,
      hint: 'Set LLMSPELL_HOME to a directory of your own, or correct its owner and permissions.',
    })
  }
}

/** `/tmp` and not `os.tmpdir()`: the latter may be long (macOS) or differ between a user's shells. */
function shortRuntimeDir(): string {
  return join('/tmp', `llmspell-${process.getuid?.() ?? 0}`)
}

function shortHash(text: string): string {
  // Loaded for the rare long path only: it costs every command some milliseconds.
  const { createHash } = process.getBuiltinModule('node:crypto')
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

/** Relative values in XDG variables are invalid and must be ignored. */
function absolute(value: string | undefined): string | undefined {
  return value !== undefined && isAbsolute(value) ? value : undefined
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value
}
