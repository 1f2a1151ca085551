import { randomUUID } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmdirSync, rmSync, statSync, writeSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { codeOf, LlmspellError, messageOf } from '@llmspell/base'
import { isHeld, tryLock } from '@llmspell/config/lock-file'
import { checkKernelId, ensurePrivateDirectory, type LlmspellPaths } from '@llmspell/config/paths'
import {
  type ConnectionInfo,
  parseConnectionFile,
  parseRegistrationFile,
  type RegistrationInfo,
  SOCKET_NAMES,
  serializeConnectionFile,
} from '@llmspell/jupyter'
import type { KernelArguments } from './arguments.ts'

/** What is decided before a socket is bound. */
export interface ConnectionPlan {
  id: string
  /** The client that started this process owns the kernel: its shutdown_request ends it, and so does its death. */
  owned: boolean
  /** Ports of 0 are chosen when bound. */
  connection: ConnectionInfo
  /** Files to write once the ports are known; the first is the one to tell others. */
  files: string[]
  /** An owned kernel's file is its owner's: it is told, never written. */
  connectionFile: string
  /** The launcher wants to be told the ports that were bound (JEP 66). */
  registration?: RegistrationInfo
}

/**
 * A connection file that exists tells ports and key: Jupyter wrote it, and owns us. Otherwise we choose them, and our own file in the
 * runtime directory makes us a kernel of this user that every client finds.
 */
export function planConnection(args: KernelArguments, paths: LlmspellPaths, transport: 'ipc' | 'tcp', language: string): ConnectionPlan {
  const given = args.connectionFile === undefined ? undefined : resolve(args.connectionFile)
  const text = given === undefined ? undefined : readIfThere(given)
  const id = checkKernelId(args.id ?? (given === undefined ? 'default' : idFromFile(given)))
  if (given !== undefined && text !== undefined) {
    if (isRegistration(text)) return planRegistration(id, given, parseRegistrationFile(text, given))
    const connection = parseConnectionFile(text, given)
    const owned = (args.startedBy ?? 'jupyter') === 'jupyter'
    return { id, owned, connection, connectionFile: given, files: owned ? [] : [paths.connectionFile(id)] }
  }
  const registered = paths.connectionFile(id)
  return {
    id,
    owned: false,
    connection: newConnection(id, paths, transport, language, args.port),
    connectionFile: given ?? registered,
    files: given === undefined ? [registered] : [given, registered],
  }
}

/** Launchers that register kernels hand over their own file in place of a connection file. */
function isRegistration(text: string): boolean {
  return /"registration_port"\s*:/.test(text)
}

function planRegistration(id: string, file: string, registration: RegistrationInfo): ConnectionPlan {
  const { transport, ip, key, signature_scheme } = registration
  const ports = Object.fromEntries(SOCKET_NAMES.map((name, index) => [`${name}_port`, transport === 'tcp' ? 0 : index + 1])) as Ports
  return { id, owned: true, connection: { transport, ip, ...ports, key, signature_scheme }, connectionFile: file, files: [], registration }
}

type Ports = Pick<ConnectionInfo, 'shell_port' | 'iopub_port' | 'stdin_port' | 'control_port' | 'hb_port'>

function newConnection(id: string, paths: LlmspellPaths, transport: 'ipc' | 'tcp', language: string, port?: number): ConnectionInfo {
  const tcp = port !== undefined || transport === 'tcp'
  const ports = SOCKET_NAMES.map((name, index) => [`${name}_port`, tcp ? (port ? port + index : 0) : index + 1])
  return {
    transport: tcp ? 'tcp' : 'ipc',
    ip: tcp ? '127.0.0.1' : paths.ipcBase(id),
    ...(Object.fromEntries(ports) as Ports),
    key: randomUUID(),
    signature_scheme: 'hmac-sha256',
    kernel_name: `llmspell-${language}`,
  }
}

/** Jupyter names its files `kernel-<id>.json`. */
function idFromFile(file: string): string {
  const id = basename(file)
    .replace(/^kernel-(?=.)/, '')
    .replace(/\.json$/, '')
    .replaceAll(/[^A-Za-z0-9._-]/g, '-')
    .replace(/^[._-]+/, '')
    .slice(0, 64)
  return id === '' ? `kernel-${process.pid}` : id
}

function readIfThere(file: string): string | undefined {
  try {
    // A device or a pipe would be read for ever.
    if (!statSync(file).isFile()) throw new Error('it is not a regular file')
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw new LlmspellError(`cannot read the connection file ${file}: ${messageOf(error)}`, {
      code: 'connection_file.invalid',
      data: { file },
      cause: error,
    })
  }
}

/**
 * Makes this process the only kernel of its id, until the returned function is called or the process ends in any way. libzmq would
 * silently take the sockets of a running kernel away. Throws code `kernel.already_running`.
 */
export function claim(plan: ConnectionPlan, paths: LlmspellPaths): () => void {
  if (plan.owned && plan.connection.transport !== 'ipc') return () => {}
  let lockPath = `${plan.connection.ip}.lock`
  if (!plan.owned) {
    for (const directory of [paths.runtimeDir, paths.kernelsDir]) ensurePrivateDirectory(directory)
    if (plan.connection.transport === 'ipc') ensurePrivateDirectory(dirname(plan.connection.ip))
    lockPath = join(paths.runtimeDir, `kernel-${plan.id}.lock`)
  }
  const lock = tryLock(lockPath)
  if (isHeld(lock)) {
    return () => {
      lock.release()
      removeShortDirectory(plan, paths)
    }
  }
  throw new LlmspellError(`a kernel with the id "${plan.id}" is running already (pid ${lock.pid})`, {
    code: 'kernel.already_running',
    data: { id: plan.id, pid: lock.pid },
    hint: 'Use it, stop it with `llmspell kernel stop`, or choose another --id.',
  })
}

/** The directory that sockets got because the usual one has too long a path; other kernels of this home may still use it. */
function removeShortDirectory({ owned, connection }: ConnectionPlan, paths: LlmspellPaths): void {
  const directory = dirname(connection.ip)
  if (owned || connection.transport !== 'ipc' || directory === paths.kernelsDir) return
  try {
    rmdirSync(directory)
  } catch {}
}

/** Nobody reads half a file or one that others may read: it holds the key. */
export function writeConnectionFile(file: string, connection: ConnectionInfo): void {
  const temporary = `${file}.${randomUUID()}.tmp`
  try {
    const descriptor = openSync(temporary, 'wx', 0o600)
    try {
      writeSync(descriptor, serializeConnectionFile(connection))
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    renameSync(temporary, file)
  } catch (cause) {
    rmSync(temporary, { force: true })
    throw new LlmspellError(`cannot write the connection file ${file}`, {
      code: 'kernel.connection_file_not_written',
      data: { file },
      cause,
    })
  }
}
