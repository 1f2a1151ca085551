import { closeSync, rmSync, writeSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { isatty } from 'node:tty'
import { codeOf, DisposableStore, LlmspellError, type LogLevel, messageOf, toDisposable } from '@llmspell/base'
import type { Config } from '@llmspell/config'
import { loadConfig } from '@llmspell/config/load'
import { ensurePrivateDirectory, type LlmspellPaths } from '@llmspell/config/paths'
import { ownIdentity } from '@llmspell/config/process-identity'
import type { ConnectionInfo, KernelRecord } from '@llmspell/jupyter'
import { bindKernelSockets } from '@llmspell/jupyter-zmq'
import { createRuntime, VERSION } from '@llmspell/runtime'
import { type KernelArguments, parseArguments, readyDescriptor } from './arguments.ts'
import { type ConnectionPlan, claim, planConnection, writeConnectionFile } from './connection.ts'
import { EXIT, exitCodeOf } from './exit-codes.ts'
import { createProcessLog, jsonLine, LogFile, type ProcessLog, plainLine } from './log.ts'
import { watchParent } from './parent-watch.ts'
import { installSignals } from './signals.ts'

/** How long ending may take before the process goes anyway. */
const STOP_DEADLINE_MS = 5000

/**
 * From the command line to a kernel that answers, and back to nothing left behind. Ends the process. `umask` is what scripts make
 * their files with; the kernel's own are made before it is set, or name their mode.
 */
export async function runKernelProcess(words: readonly string[], paths: LlmspellPaths, umask: number): Promise<void> {
  // Whoever read our output may go before us: what we would have said to them is no reason to end.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  const leftovers = new DisposableStore()
  process.on('exit', () => leftovers.dispose())
  try {
    await start(parseArguments(words), paths, umask, leftovers)
  } catch (error) {
    reportFailure(error, readyDescriptor(words))
    process.exit(exitCodeOf(LlmspellError.is(error) ? error.code : undefined))
  }
}

async function start(args: KernelArguments, paths: LlmspellPaths, umask: number, leftovers: DisposableStore): Promise<void> {
  const cwd = process.cwd()
  // A kernel that was started for whoever comes next has no project of its own.
  const readConfig = () => loadConfig({ paths, env: process.env, ...(args.startedBy === 'auto' ? {} : { cwd }) })
  const { config, warnings } = await readConfig()
  const language = args.language ?? config['kernel.language']

  const plan = planConnection(args, paths, config['kernel.transport'], language)
  const { log, file: logFile } = openLog(args, config)
  for (const warning of warnings) log.log('warn', warning)
  if (args.unknown.length > 0) log.log('warn', 'words of the command line that mean nothing here', { words: args.unknown })

  leftovers.add(toDisposable(claim(plan, paths)))
  const sockets = await bindKernelSockets({ connection: plan.connection, logger: log })
  const record = makeRecord(args, plan, config, language, cwd)
  const kernel = createRuntime({
    config,
    paths,
    record,
    transport: sockets,
    owned: plan.owned,
    // Jupyter's kernel managers, and they alone, tell their pid.
    relaunched: plan.owned && process.env['JPY_PARENT_PID'] !== undefined,
    ...(sockets.connection.transport === 'tcp' && { ports: portsOf(sockets.connection) }),
    ...(process.platform !== 'win32' && { debugSocket: () => debugSocket(plan.id, paths) }),
    cwd,
    env: scriptEnvironment(),
    logger: log,
    ...(process.env['LLMSPELL_TRACE'] && { trace: process.env['LLMSPELL_TRACE'] }),
  })

  const stop = (reason: string): void => {
    setTimeout(() => {
      log.log('error', 'stopping took too long, the process ends now', { reason })
      process.exit(EXIT.crash)
    }, STOP_DEADLINE_MS).unref()
    void kernel.stop(reason)
  }
  process.on('uncaughtException', (error, origin) => crash(error, origin, log))
  installSignals({
    stop: (signal) => stop(`signal ${signal}`),
    interrupt: plan.owned ? () => void kernel.interrupt() : undefined,
    // A kernel somebody watches in a terminal goes with it; for all others HUP means what it means to daemons.
    hangUpStops: record.startedBy === 'foreground' && isatty(0),
    async reload() {
      logFile?.reopen()
      try {
        log.setLevel(logLevel((await readConfig()).config))
        log.log('info', 'log reopened, level read again')
      } catch (error) {
        log.log('error', 'the configuration is wrong, the log level stays', { reason: messageOf(error) })
      }
    },
    statistics: () => log.log('info', 'statistics', { ...kernel.status(), dropped: sockets.dropped, memory: process.memoryUsage() }),
  })
  register(plan, { ...sockets.connection, llmspell: record }, leftovers)
  process.umask(umask)
  reportReady(plan, args.readyFd)

  const parent = Number(process.env['JPY_PARENT_PID'])
  if (plan.owned && Number.isSafeInteger(parent) && parent > 1 && process.platform !== 'win32') {
    watchParent(parent, () => {
      log.log('info', 'the process that owns this kernel is gone', { pid: parent })
      stop('parent_gone')
    })
  }

  log.log('info', 'kernel started', { id: plan.id, pid: process.pid, version: VERSION, language, startedBy: record.startedBy })
  await kernel.start()
  if (plan.registration) {
    const { registerKernel } = await import('@llmspell/jupyter-zmq/registration')
    await registerKernel(plan.registration, sockets.connection)
  }
  const reason = await kernel.closed
  log.log('info', 'kernel stopped', { reason })
  process.exit(EXIT.ok)
}

function makeRecord(
  args: KernelArguments,
  plan: ConnectionPlan,
  config: Config,
  language: KernelRecord['language'],
  cwd: string,
): KernelRecord {
  const startedBy = args.startedBy ?? (plan.owned ? 'jupyter' : 'foreground')
  return {
    id: plan.id,
    ...ownIdentity(),
    version: VERSION,
    language,
    cwd,
    startedAt: new Date().toISOString(),
    startedBy,
    idleTimeout: args.idleTimeout ?? (startedBy === 'auto' ? config['kernel.idle_timeout'] : 0),
    ...(args.logFile === undefined ? {} : { logFile: resolve(args.logFile) }),
  }
}

function portsOf({ shell_port, iopub_port, stdin_port, hb_port, control_port }: ConnectionInfo) {
  return { shell_port, iopub_port, stdin_port, hb_port, control_port }
}

/** A kernel that Jupyter owns has made no directory of its own before. */
function debugSocket(id: string, paths: LlmspellPaths): string {
  const path = paths.debugSocket(id)
  for (const directory of [paths.runtimeDir, paths.kernelsDir, dirname(path)]) ensurePrivateDirectory(directory)
  return path
}

/** What was asked to be traced is to be seen. */
function logLevel(config: Config): LogLevel {
  return process.env['LLMSPELL_TRACE'] ? 'trace' : config['log.level']
}

/** Lines go to the file; without one, warnings and errors go to whoever started this process. */
function openLog(args: KernelArguments, config: Config): { log: ProcessLog; file?: LogFile } {
  const level = logLevel(config)
  if (args.logFile === undefined) {
    const atLeast: LogLevel = level === 'info' ? 'warn' : level
    return { log: createProcessLog(atLeast, (...line) => process.stderr.write(plainLine(...line))) }
  }
  const file = new LogFile({ file: resolve(args.logFile), maxSize: config['log.max_size'], keep: config['log.keep'] })
  return { file, log: createProcessLog(level, (...line) => file.write(jsonLine(...line))) }
}

function register(plan: ConnectionPlan, connection: ConnectionInfo, leftovers: DisposableStore): void {
  for (const file of plan.files) {
    writeConnectionFile(file, connection)
    leftovers.add(toDisposable(() => rmSync(file, { force: true })))
  }
}

function reportReady(plan: ConnectionPlan, readyFd: number | undefined): void {
  if (readyFd !== undefined) tell(readyFd, { ok: true, id: plan.id, pid: process.pid, connectionFile: plan.connectionFile })
}

function reportFailure(error: unknown, readyFd: number | undefined): void {
  const hint = LlmspellError.is(error) ? error.hint : undefined
  // A defect shows where it is; a mistake of the user is told in one sentence.
  const what = LlmspellError.is(error) ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)
  process.stderr.write(`llmspell kernel: ${what}${hint === undefined ? '' : `\n  ${hint}`}\n`)
  if (readyFd !== undefined)
    tell(readyFd, { ok: false, error: { code: codeOf(error) ?? 'kernel.crashed', message: messageOf(error), hint } })
}

/** The one who waits may be gone, or never have opened the descriptor: neither is a reason not to run. */
function tell(descriptor: number, line: object): void {
  try {
    writeSync(descriptor, `${JSON.stringify(line)}\n`)
    closeSync(descriptor)
  } catch {}
}

function crash(error: unknown, origin: string, log: ProcessLog): void {
  log.log('error', 'the kernel crashed', { origin, reason: messageOf(error), stack: error instanceof Error ? error.stack : undefined })
  process.exit(EXIT.crash)
}

/** What ties a process to its launcher is not the scripts' business, nor is the key of another kernel. */
const NOT_FOR_SCRIPTS = ['JPY_PARENT_PID', 'JPY_INTERRUPT_EVENT', 'NODE_CHANNEL_FD', 'NODE_CHANNEL_SERIALIZATION_MODE', 'LLMSPELL_KEY']

function scriptEnvironment(): Record<string, string> {
  const env = { ...process.env }
  for (const name of NOT_FOR_SCRIPTS) delete env[name]
  return env as Record<string, string>
}
