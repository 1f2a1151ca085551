import { type ChildProcess, type SpawnOptions as NodeSpawnOptions, spawn } from 'node:child_process'
import { closeSync, fstatSync, openSync } from 'node:fs'
import { constants } from 'node:os'
import { resolve as resolvePath } from 'node:path'
import type { Readable } from 'node:stream'
import { LlmspellError, messageOf } from '@llmspell/base'
import { ensurePrivateDirectory, type LlmspellPaths } from '@llmspell/config/paths'
import type { KernelRecord } from '@llmspell/jupyter'
import { logTail } from './log-tail.ts'

export interface SpawnOptions {
  paths: LlmspellPaths
  id: string
  /** Absolute path of the kernel process's entry. */
  entry: string
  startedBy: KernelRecord['startedBy']
  /** Default language. Default `lua`. */
  language?: KernelRecord['language']
  /** First of five tcp ports on the loopback; without it the sockets are files in the runtime directory. */
  port?: number
  /** Milliseconds; 0 is never. Default the configured one. */
  idleTimeout?: number
  /** Where else to write a connection file, for Jupyter clients. */
  connectionFile?: string
  cwd: string
  env?: Readonly<Record<string, string | undefined>>
  /** Milliseconds until all sockets must be bound. Default 60 000. */
  timeoutMs?: number
}

export interface SpawnedKernel {
  id: string
  pid: number
  connectionFile: string
}

interface ReadyLine {
  ok: boolean
  id: string
  pid: number
  connectionFile: string
  error: { code: string; message: string; hint?: string }
}

const READY_FD = 3
/** Milliseconds; loaded machines and cold caches are slow. */
const START_MS = 60_000
/**
 * Variables that tie a process to the one that started it, and would mislead one that outlives it; and the key of a foreign kernel, which
 * is no business of scripts.
 */
const NOT_INHERITED = ['LLMSPELL_KEY', 'NODE_CHANNEL_FD', 'NODE_CHANNEL_SERIALIZATION_MODE', 'JPY_PARENT_PID', 'JPY_INTERRUPT_EVENT']

/**
 * Starts a kernel that outlives this process: a session of its own, no terminal, output to its log. Resolves once all its
 * sockets are bound. The caller holds the start lock. Code `kernel.start_failed` with the reason and the log's last lines.
 */
export async function spawnKernel(options: SpawnOptions): Promise<SpawnedKernel> {
  const { paths, id } = options
  makeDirectories(paths)
  const logFile = paths.logFile(id)
  const log = openSync(logFile, 'a', 0o600)
  const logStart = fstatSync(log).size
  let child: ChildProcess
  try {
    child = launch(options, ['--log-file', logFile], { detached: true, stdio: ['ignore', log, log, 'pipe'] })
  } finally {
    closeSync(log)
  }
  try {
    return await readiness(child, options.timeoutMs ?? START_MS)
  } catch (cause) {
    child.kill('SIGKILL')
    const said = logTail(logFile, 20, { from: logStart })
    throw startFailed(id, cause, said, `Its log is ${logFile}; \`llmspell doctor\` checks what a kernel needs.`)
  } finally {
    child.stdio[READY_FD]?.destroy()
    child.unref()
  }
}

export interface RunningKernel {
  readonly ready: Promise<SpawnedKernel>
  /** The exit code; a signal counts as 128 and its number, as in shells. */
  readonly exited: Promise<number>
  signal(name: NodeJS.Signals): void
}

/**
 * Starts a kernel that writes its log where this process writes. In a process group of its own: who starts it passes signals
 * on, so that a Ctrl-C of the terminal reaches it once. The caller holds the start lock until `ready`.
 */
export function runKernel(options: SpawnOptions): RunningKernel {
  makeDirectories(options.paths)
  const child = launch(options, [], { detached: true, stdio: ['ignore', 'inherit', 'inherit', 'pipe'] })
  const exited = new Promise<number>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)))
  })
  const ready = readiness(child, options.timeoutMs ?? START_MS).catch((cause: unknown) => {
    child.kill('SIGKILL')
    throw startFailed(options.id, cause, '', '`llmspell doctor` checks what a kernel needs.')
  })
  return { ready, exited, signal: (name) => child.kill(name) }
}

function makeDirectories(paths: LlmspellPaths): void {
  for (const directory of [paths.runtimeDir, paths.kernelsDir, paths.stateDir, paths.logsDir]) ensurePrivateDirectory(directory)
}

function launch(options: SpawnOptions, more: readonly string[], how: Pick<NodeSpawnOptions, 'detached' | 'stdio'>): ChildProcess {
  return spawn(process.execPath, ['--disable-sigusr1', options.entry, ...kernelArguments(options), ...more], {
    ...how,
    cwd: options.cwd,
    env: kernelEnvironment(options.env ?? process.env),
  })
}

/** The kernel works in another directory, where a relative LLMSPELL_HOME would be another place. */
function kernelEnvironment(env: Readonly<Record<string, string | undefined>>): NodeJS.ProcessEnv {
  const inherited = Object.fromEntries(Object.entries(env).filter(([name]) => !NOT_INHERITED.includes(name)))
  const home = env['LLMSPELL_HOME']
  return home ? { ...inherited, LLMSPELL_HOME: resolvePath(home) } : inherited
}

function kernelArguments(options: SpawnOptions): string[] {
  const given: [string, string | number | undefined][] = [
    ['--id', options.id],
    ['--started-by', options.startedBy],
    ['--language', options.language],
    ['--port', options.port],
    ['--idle-timeout', options.idleTimeout],
    ['--connection-file', options.connectionFile],
    ['--ready-fd', READY_FD],
  ]
  return given.flatMap(([name, value]) => (value === undefined ? [] : [name, String(value)]))
}

/** Resolves with the one line the kernel writes; rejects when it says it failed, ends first or takes too long. */
function readiness(child: ChildProcess, timeoutMs: number): Promise<SpawnedKernel> {
  return new Promise((resolve, reject) => {
    let text = ''
    const fail = (error: unknown): void => settle(() => reject(error))
    const timer = setTimeout(() => fail(new Error(`it was not ready within ${timeoutMs / 1000} s`)), timeoutMs)
    const settle = (end: () => void): void => {
      clearTimeout(timer)
      end()
    }
    const pipe = child.stdio[READY_FD] as Readable
    pipe.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (!text.includes('\n')) return
      try {
        const { id, pid, connectionFile } = readyLine(text)
        settle(() => resolve({ id, pid, connectionFile }))
      } catch (error) {
        fail(error)
      }
    })
    child.once('error', fail)
    // The pipe's end comes after its last line, so what was written just before the exit is not missed.
    child.once('exit', (code, signal) => {
      const end = (): void => fail(new Error(signal ? `it was ended by ${signal}` : `it ended with code ${code}`))
      if (pipe.readableEnded) end()
      else pipe.once('close', end)
    })
  })
}

function readyLine(text: string): SpawnedKernel {
  let ready: ReadyLine
  try {
    ready = JSON.parse(text) as ReadyLine
  } catch (cause) {
    throw new Error(`it reported something unreadable: ${text.slice(0, 200)}`, { cause })
  }
  if (ready.ok) return ready
  const { code, message, hint } = ready.error
  throw new LlmspellError(message, { code, ...(hint === undefined ? {} : { hint }) })
}

function startFailed(id: string, cause: unknown, log: string, hint: string): LlmspellError {
  const told = LlmspellError.is(cause) ? cause : undefined
  const tail = log && !told ? `\nThe last lines of its log:\n${log.replace(/^/gm, '  ')}` : ''
  return new LlmspellError(`the kernel "${id}" did not start: ${messageOf(cause)}${tail}`, {
    code: 'kernel.start_failed',
    data: { id, reason: told?.code },
    cause,
    hint: told?.hint ?? hint,
  })
}
