import { readFileSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import { delay, LlmspellError, nearest } from '@llmspell/base'
import { KernelClient } from '@llmspell/client'
import type { LlmspellPaths } from '@llmspell/config/paths'
import { isRunning } from '@llmspell/config/process-identity'
import { type ConnectionInfo, type KernelRecord, parseConnectionFile } from '@llmspell/jupyter'
import { logTail } from './log-tail.ts'
import { isKernelRunning, type RegisteredKernel, readKernel, readKernels } from './registry.ts'

export interface ConnectOptions {
  session?: string
  /** Milliseconds until the kernel's output must be subscribed to. Default 20 000. */
  connectTimeoutMs?: number
  onUnresponsive?(unresponsive: boolean): void
}

/** A client of the kernel that these connection data describe. Codes `kernel.connect_failed`, `kernel.died`, `kernel.unresponsive`. */
export async function connectTo(connection: ConnectionInfo, options: ConnectOptions = {}): Promise<KernelClient> {
  const { connectKernel } = await import('@llmspell/jupyter-zmq/client')
  const record = connection.llmspell
  const connectTimeoutMs = options.connectTimeoutMs ?? 20_000
  const local = record && isLocal(connection) ? record : undefined
  try {
    return await KernelClient.connect({
      transport: connectKernel(connection, { connectTimeoutMs }),
      ...options,
      connectTimeoutMs,
      ...(local ? { isProcessAlive: () => isRunning(local), deathHint: () => lastWords(local) } : {}),
    })
  } catch (error) {
    if (!local) throw error
    throw (await isGone(local)) ? died(local, error) : unresponsive(local, error)
  }
}

/** A dying process closes its sockets a moment before it is gone. */
const DYING_MS = 500

async function isGone(record: KernelRecord): Promise<boolean> {
  const end = performance.now() + DYING_MS
  while (isRunning(record)) {
    if (performance.now() > end) return false
    await delay(20)
  }
  return true
}

function died(record: KernelRecord, cause: unknown): LlmspellError {
  const hint = lastWords(record)
  return new LlmspellError(`the kernel "${record.id}" (process ${record.pid}) ended while connecting to it`, {
    code: 'kernel.died',
    data: { id: record.id, pid: record.pid },
    cause,
    ...(hint === undefined ? {} : { hint }),
  })
}

/** What a dead kernel wrote to its log that was not routine. */
function lastWords({ logFile, startedAt }: KernelRecord): string | undefined {
  if (logFile === undefined) return undefined
  const lines = logTail(logFile, 40)
    .split('\n')
    .filter((line) => line && isTelling(line, startedAt))
    .slice(-8)
  return lines.length > 0 ? `The last lines of its log:\n    ${lines.join('\n    ')}` : `Its log, ${logFile}, does not say why.`
}

/** Structured lines are kept from warnings up; anything else a process prints when it dies is worth reading. */
function isTelling(line: string, startedAt: string): boolean {
  if (!line.startsWith('{')) return true
  try {
    const { level, time } = JSON.parse(line) as { level?: string; time?: string }
    return (level === 'warn' || level === 'error') && (time ?? startedAt) >= startedAt
  } catch {
    return true
  }
}

function unresponsive({ id, pid }: KernelRecord, cause: unknown): LlmspellError {
  return new LlmspellError(`the kernel "${id}" (process ${pid}) runs but does not answer`, {
    code: 'kernel.unresponsive',
    data: { id, pid },
    cause,
    hint: `It may be stopped (SIGSTOP) or swapped out. \`llmspell kernel stop ${id} --force\` ends it.`,
  })
}

/**
 * What `--connect` means: `tcp://HOST:PORT`, the path of a connection file (something with a slash or ending in .json), or the
 * id of a registered kernel.
 */
export function resolveTarget(paths: LlmspellPaths, target: string, env: Readonly<Record<string, string | undefined>>): ConnectionInfo {
  if (target.includes('://')) return resolveAddress(paths, target, env)
  if (target.endsWith('.json') || target.includes('/') || isAbsolute(target)) return readConnectionFile(target)
  return registeredKernel(paths, target).connection
}

/** The running kernel of this id. Code `kernel.not_found` names the near one, or how to start it. */
export function registeredKernel(paths: LlmspellPaths, id: string): RegisteredKernel {
  const kernel = readKernel(paths, id)
  if (kernel && isKernelRunning(kernel)) return kernel
  const running = readKernels(paths).filter(isKernelRunning)
  const near = nearest(
    id,
    running.map((other) => other.record.id),
  )
  throw new LlmspellError(kernel ? `the kernel "${id}" is not running any more` : `no kernel "${id}" is running`, {
    code: 'kernel.not_found',
    data: { id, running: running.map((other) => other.record.id) },
    hint: near
      ? `Did you mean "${near}"?`
      : `\`llmspell kernel list\` shows what runs; \`llmspell kernel start --daemon${id === 'default' ? '' : ` --id ${id}`}\` starts it.`,
  })
}

function readConnectionFile(path: string): ConnectionInfo {
  const file = resolve(path)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new LlmspellError(`cannot read the connection file ${file}: ${(cause as NodeJS.ErrnoException).code}`, {
      code: 'kernel.not_found',
      data: { file },
      cause,
      hint: '`llmspell kernel list` shows the connection files of running kernels.',
    })
  }
  return parseConnectionFile(text, file)
}

/** An address alone says where, not who may: the key comes from the kernel's entry if it is ours, else from the environment. */
function resolveAddress(paths: LlmspellPaths, target: string, env: Readonly<Record<string, string | undefined>>): ConnectionInfo {
  const url = URL.canParse(target) ? new URL(target) : undefined
  const port = Number(url?.port)
  if (url?.protocol !== 'tcp:' || !port || !url.hostname) {
    throw new LlmspellError(`"${target}" is not an address`, {
      code: 'kernel.bad_address',
      data: { target },
      hint: 'Write tcp://HOST:PORT with the first of the kernel’s five ports, or the path of a connection file.',
    })
  }
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const ours = readKernels(paths).find(
    ({ connection }) => connection.transport === 'tcp' && connection.shell_port === port && isSameHost(connection.ip, host),
  )
  if (ours) return ours.connection
  const key = env['LLMSPELL_KEY']
  if (key === undefined) {
    throw new LlmspellError(`no kernel of yours listens on ${host}:${port}, and there is no key for a foreign one`, {
      code: 'kernel.no_key',
      data: { target },
      hint: 'Connect with a copy of its connection file, or set LLMSPELL_KEY to the "key" of that file.',
    })
  }
  return {
    transport: 'tcp',
    ip: host,
    shell_port: port,
    iopub_port: port + 1,
    stdin_port: port + 2,
    control_port: port + 3,
    hb_port: port + 4,
    key,
    signature_scheme: 'hmac-sha256',
  }
}

/** A pid says something only on the machine it belongs to. */
function isLocal(connection: ConnectionInfo): boolean {
  return connection.transport === 'ipc' || LOOPBACK.test(connection.ip)
}

const LOOPBACK = /^(127\.|localhost$|::1$)/

function isSameHost(a: string, b: string): boolean {
  return a === b || (LOOPBACK.test(a) && LOOPBACK.test(b))
}
