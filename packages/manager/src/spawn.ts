import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, fstatSync, openSync } from 'node:fs'
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
/** Variables that tie a process to the one that started it, and would mislead one that outlives it. */
const NOT_INHERITED = ['NODE_CHANNEL_FD', 'NODE_CHANNEL_SERIALIZATION_MODE', 'JPY_PARENT_PID', 'JPY_INTERRUPT_EVENT']

/**
 * Starts a kernel that outlives this process: a session of its own, no terminal, output to its log. Resolves once all its
 * sockets are bound. The caller holds the start lock. Code `kernel.start_failed` with the reason and the log's last lines.
 */
export async function spawnKernel(options: SpawnOptions): Promise<SpawnedKernel> {
  const { paths, id } = options
  for (const directory of [paths.runtimeDir, paths.kernelsDir, paths.stateDir, paths.logsDir]) ensurePrivateDirectory(directory)
  const logFile = paths.logFile(id)
  const log = openSync(logFile, 'a', 0o600)
  const logStart = fstatSync(log).size
  let child: ChildProcess
  const umask = process.umask(0o077)
  try {
    child = spawn(process.execPath, ['--disable-sigusr1', options.entry, ...kernelArguments(options, logFile)], {
      detached: true,
      stdio: ['ignore', log, log, 'pipe'],
      cwd: options.cwd,
      env: Object.fromEntries(Object.entries(options.env ?? process.env).filter(([name]) => !NOT_INHERITED.includes(name))),
    })
  } finally {
    process.umask(umask)
    closeSync(log)
  }
  try {
    const ready = await readiness(child, options.timeoutMs ?? 60_000)
    return { id: ready.id, pid: ready.pid, connectionFile: ready.connectionFile }
  } catch (cause) {
    child.kill('SIGKILL')
    throw startFailed(options, cause, logFile, logTail(logFile, 20, { from: logStart }))
  } finally {
    child.stdio[READY_FD]?.destroy()
    child.unref()
  }
}

function kernelArguments(options: SpawnOptions, logFile: string): string[] {
  const given: [string, string | number | undefined][] = [
    ['--id', options.id],
    ['--started-by', options.startedBy],
    ['--language', options.language],
    ['--port', options.port],
    ['--idle-timeout', options.idleTimeout],
    ['--connection-file', options.connectionFile],
    ['--log-file', logFile],
    ['--ready-fd', READY_FD],
  ]
  return given.flatMap(([name, value]) => (value === undefined ? [] : [name, String(value)]))
}

/** Resolves with the one line the kernel writes; rejects when it says it failed, ends first or takes too long. */
function readiness(child: ChildProcess, timeoutMs: number): Promise<ReadyLine> {
  return new Promise((resolve, reject) => {
    let text = ''
    const timer = setTimeout(() => reject(new Error(`it was not ready within ${timeoutMs / 1000} s`)), timeoutMs)
    const settle = (end: () => void): void => {
      clearTimeout(timer)
      end()
    }
    const pipe = child.stdio[READY_FD] as Readable
    pipe.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (text.includes('\n')) settle(() => finish(text))
    })
    const finish = (line: string): void => {
      try {
        const ready = JSON.parse(line) as ReadyLine
        if (ready.ok) resolve(ready)
        else
          reject(
            new LlmspellError(ready.error.message, { code: ready.error.code, ...(ready.error.hint ? { hint: ready.error.hint } : {}) }),
          )
      } catch (cause) {
        reject(new Error(`it reported something unreadable: ${line.slice(0, 200)}`, { cause }))
      }
    }
    child.once('error', (error) => settle(() => reject(error)))
    // `close` comes after the pipe's end, so a line written just before the exit is not missed.
    child.once('close', (code, signal) =>
      settle(() => reject(new Error(signal ? `it was ended by ${signal}` : `it ended with code ${code}`))),
    )
  })
}

function startFailed(options: SpawnOptions, cause: unknown, logFile: string, tail: string): LlmspellError {
  const said = tail && !LlmspellError.is(cause) ? `\nThe last lines of its log:\n${tail.replace(/^/gm, '  ')}` : ''
  return new LlmspellError(`the kernel "${options.id}" did not start: ${messageOf(cause)}${said}`, {
    code: 'kernel.start_failed',
    data: { id: options.id, logFile, reason: LlmspellError.is(cause) ? cause.code : undefined },
    cause,
    hint: (LlmspellError.is(cause) ? cause.hint : undefined) ?? `Its log is ${logFile}; \`llmspell doctor\` checks what a kernel needs.`,
  })
}
