import { spawn } from 'node:child_process'
import { deferred, LlmspellError, messageOf } from '@llmspell/base'
import type { Command } from './find-command.ts'

export interface CommandOptions {
  readonly cwd?: string
  readonly env: NodeJS.ProcessEnv
  /** Given on standard input. */
  readonly input?: string
  /** Milliseconds; the process is then killed. Default: none. */
  readonly timeoutMs?: number
  /** Aborted: interrupts the command as Ctrl-C does. */
  readonly signal?: AbortSignal
  /** Each line of standard output as it comes. */
  onLine?(line: string): void
}

export interface CommandResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs `llmspell` to its end. Rejects with `vscode.command_failed` when it cannot start, and `timeout` when it takes too long. */
export function runCommand(command: Command, args: readonly string[], options: CommandOptions): Promise<CommandResult> {
  const { promise, resolve, reject } = deferred<CommandResult>()
  const child = spawn(command.program, [...command.args, ...args], { cwd: options.cwd, env: options.env, windowsHide: true })
  const interrupt = (): void => void child.kill('SIGINT')
  options.signal?.addEventListener('abort', interrupt, { once: true })
  const timer =
    options.timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          child.kill('SIGKILL')
          reject(new LlmspellError(`llmspell ${args.join(' ')} took over ${options.timeoutMs} ms`, { code: 'timeout' }))
        }, options.timeoutMs)
  let stdout = ''
  let stderr = ''
  let line = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (!options.onLine) {
      stdout += text
      return
    }
    const lines = (line + text).split('\n')
    line = lines.pop() ?? ''
    for (const each of lines) options.onLine(each)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdin.on('error', () => {}) // it ended without reading; its exit code tells why
  child.stdin.end(options.input ?? '')
  const done = (): void => {
    clearTimeout(timer)
    options.signal?.removeEventListener('abort', interrupt)
  }
  child.on('error', (cause) => {
    done()
    reject(
      new LlmspellError(`${command.program} cannot be started: ${messageOf(cause)}`, {
        code: 'vscode.command_failed',
        cause,
        hint: 'The setting llmspell.command says which command is used.',
      }),
    )
  })
  child.on('close', (code, signal) => {
    done()
    if (line) options.onLine?.(line)
    resolve({ exitCode: code ?? (signal === 'SIGINT' ? 130 : 1), stdout, stderr })
  })
  return promise
}

/** What `llmspell … --json` printed. What it says of a failure is thrown with its own code and hint. */
export function parseAnswer({ stdout, stderr, exitCode }: CommandResult): unknown {
  let answer: unknown
  try {
    answer = JSON.parse(stdout)
  } catch (cause) {
    throw new LlmspellError(stderr.trim() || `llmspell ended with exit code ${exitCode} and no answer`, {
      code: 'vscode.command_failed',
      cause,
      data: { exitCode, stdout: stdout.slice(0, 2000) },
    })
  }
  const error = errorOf(answer)
  if (error) throw new LlmspellError(error.message, { code: error.code, ...(error.hint === undefined ? {} : { hint: error.hint }) })
  return answer
}

interface CommandError {
  readonly code: string
  readonly message: string
  readonly hint?: string
}

/** The error that a line of JSON tells, if it is one. An `error` event of running code is none: it has a `type`. */
export function errorOf(answer: unknown): CommandError | undefined {
  if (typeof answer !== 'object' || answer === null || 'type' in answer) return undefined
  const { error } = answer as { error?: CommandError }
  return typeof error?.message === 'string' ? error : undefined
}
