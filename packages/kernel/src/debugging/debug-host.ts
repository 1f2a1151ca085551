import { readFile, stat } from 'node:fs/promises'
import { basename, dirname, isAbsolute } from 'node:path'
import { codeOf, LlmspellError } from '@llmspell/base'
import type { DebuggedEngine, DebuggedRun, DebugHost, LaunchOptions, RunObserver } from '@llmspell/debug'
import type { CellNaming } from '@llmspell/debug/cells'
import { scriptLanguage } from '@llmspell/jupyter'
import type { ExecuteOutcome, Language } from '@llmspell/script'
import type { EnginePool, EngineSlot } from '../execution/engine-pool.ts'
import type { Executor } from '../execution/executor.ts'
import type { Envelope } from '../routing/envelope.ts'
import type { CellFiles } from './cell-files.ts'

export interface DebugHostParts {
  executor: Executor
  pool: EnginePool
  /** Environment of scripts. */
  env: Readonly<Record<string, string>>
  /** The envelope of an execution that no client asked for. */
  ownRequest(content: Record<string, unknown>, metadata: Record<string, unknown>): Envelope
  engineOf(slot: EngineSlot): DebuggedEngine | undefined
  cells: CellNaming
  files: CellFiles
  restart(): Promise<void>
}

/** Milliseconds in which a script that is to end may do so by itself. */
const GRACE = 3000

/** What debuggers may do with this kernel. */
export function debugHost(parts: DebugHostParts): DebugHost {
  const { executor, pool, files } = parts
  const slotOf = (engineId: string): EngineSlot | undefined => [...pool.slots].find(({ id }) => id === engineId)
  return {
    cells: parts.cells,
    launch: (options, observer, signal) => launch(options, observer, signal, parts),
    dumpCell: (code) => files.dump(code),
    readSource: (source) => files.read(source),
    async render(engineId, expression) {
      const slot = slotOf(engineId)
      if (!slot || slot.discarded) throw new LlmspellError('that namespace is gone', { code: 'debug.not_attached' })
      // It would wait for the end of what runs.
      if (executor.runningIn(slot)) throw new LlmspellError('its namespace is busy', { code: 'debug.not_supported' })
      const language = slot.engine.languages[0] as Language
      const rendered = await slot.engine.evaluate(expression, language, `${engineId}-debugger`)
      if ('data' in rendered) return { data: rendered.data, metadata: {} }
      const { ename, evalue } = rendered.error
      throw new LlmspellError(`${ename}: ${evalue}`, { code: 'debug.evaluation_failed', data: { expression } })
    },
    async interrupt(engineId) {
      const slot = slotOf(engineId)
      if (!slot) return
      const running = executor.runningIn(slot)
      // Callbacks may run although no cell does.
      await (running ? executor.interrupt(running.id) : slot.engine.interrupt())
    },
    restart: () => parts.restart(),
  }
}

async function launch(options: LaunchOptions, observer: RunObserver, signal: AbortSignal, parts: DebugHostParts): Promise<DebuggedRun> {
  const { program, args = [], cwd = dirname(program) } = options
  if (!isAbsolute(program)) throw badProgram(program, 'its path is not absolute')
  if (!isAbsolute(cwd)) throw badProgram(program, `its working directory ${JSON.stringify(cwd)} is not an absolute path`)
  if (!(await isDirectory(cwd))) throw badProgram(program, `its working directory ${cwd} does not exist`)
  const language = options.language ?? scriptLanguage(program)
  if (!language)
    throw badProgram(program, 'its ending does not tell the language', 'Say it: "language": "lua", "javascript" or "typescript".')
  parts.pool.factoryOf(language)
  const code = await readProgram(program)
  signal.throwIfAborted()
  const envelope = parts.ownRequest(
    { code, silent: false, store_history: false, user_expressions: {}, allow_stdin: false, stop_on_error: false },
    { llmspell: { language, source: program, namespace: 'fresh', args: [...args], cwd } },
  )
  const begun = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<ExecuteOutcome>()
  const execution = parts.executor.launch(envelope, language, {
    env: options.env && mergedEnvironment(parts.env, options.env),
    async prepare(slot) {
      const engine = parts.engineOf(slot)
      if (!engine) throw new LlmspellError(`${language} cannot be debugged`, { code: 'debug.not_supported', data: { language } })
      await observer.prepare(engine)
      begun.resolve()
    },
    output: (name, text) => observer.output(name, text),
    ended: ended.resolve,
  })
  const terminate = (): Promise<void> => parts.executor.terminate(execution, GRACE)
  const onAbort = (): void => void terminate()
  signal.addEventListener('abort', onAbort, { once: true })
  void ended.promise.then((outcome) => {
    signal.removeEventListener('abort', onAbort)
    begun.reject(signal.aborted ? signal.reason : neverRan(program, outcome))
  })
  await begun.promise
  return { executionId: execution.id, ended: ended.promise.then(resultOf), terminate }
}

async function isDirectory(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}

async function readProgram(program: string): Promise<string> {
  const found = await stat(program).catch(() => undefined)
  // Devices and pipes may never end.
  if (found && !found.isFile() && !found.isDirectory()) throw badProgram(program, 'it is a device or a pipe, not a file')
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(program))
  } catch (cause) {
    throw badProgram(program, READ_ERRORS[codeOf(cause) ?? ''] ?? `it cannot be read (${codeOf(cause)})`, undefined, cause)
  }
}

const READ_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a directory',
  EACCES: 'the kernel may not read it',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'it is not UTF-8 text',
}

function badProgram(program: string, reason: string, hint?: string, cause?: unknown): LlmspellError {
  return new LlmspellError(`cannot debug ${program === '' ? 'nothing' : basename(program)}: ${reason}`, {
    code: 'debug.bad_program',
    data: { program },
    ...(hint !== undefined && { hint }),
    cause,
  })
}

function neverRan(program: string, { error }: ExecuteOutcome): LlmspellError {
  return badProgram(program, error ? `${error.ename}: ${error.evalue}` : 'it was interrupted before it began')
}

function mergedEnvironment(own: Readonly<Record<string, string>>, changes: NonNullable<LaunchOptions['env']>): Record<string, string> {
  const merged = { ...own, ...changes }
  for (const name in merged) if (merged[name] === null) delete merged[name]
  return merged as Record<string, string>
}

/** As the command line has it. */
export function exitCodeOf({ status, exit }: ExecuteOutcome): number {
  return exit?.code ?? (status === 'ok' ? 0 : status === 'interrupted' ? 130 : 1)
}

function resultOf(outcome: ExecuteOutcome): Awaited<DebuggedRun['ended']> {
  const { error, exit } = outcome
  const exitCode = exitCodeOf(outcome)
  if (!error || exit) return { exitCode }
  return { exitCode, error: { name: error.ename, message: error.evalue, traceback: error.traceback } }
}
