import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { LlmspellError } from '@llmspell/base'
import type { CommandResult } from '@llmspell/lua'

/** How long a command that is to end may take to do so by itself. */
const KILL_AFTER_MS = 1_000

/** It waits in the kernel's memory until the command has ended. */
const MOST_OUTPUT_BYTES = 256 * 1024 * 1024

/**
 * Runs a shell command for `os.execute` and `io.popen` on the kernel's side, where it can be stopped: aborting ends the command
 * with all processes it started.
 *
 * @throws LlmspellError `command.too_much_output` when it writes more than `mostBytes`; it is ended then.
 */
export function runCommand(
  { command, cwd, env, input }: { command: string; cwd: string; env: Readonly<Record<string, string>>; input?: Uint8Array },
  signal: AbortSignal,
  mostBytes: number = MOST_OUTPUT_BYTES,
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const isWindows = process.platform === 'win32'
    const child = spawn(command, { shell: true, cwd, env, detached: !isWindows, windowsHide: true, stdio: ['pipe', 'pipe', 'pipe'] })
    // Without a free file descriptor there are no pipes either, only this event.
    child.on('error', reject)
    if (!hasPipes(child)) return
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdin.on('error', () => {}) // a command need not read its input
    child.stdin.end(input)

    const end = (name: NodeJS.Signals): void => {
      try {
        if (isWindows || child.pid === undefined) child.kill(name)
        else process.kill(-child.pid, name)
      } catch {
        // it has ended by itself
      }
    }
    let bytes = 0
    for (const [stream, chunks] of [[child.stdout, stdout] as const, [child.stderr, stderr] as const]) {
      stream.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes <= mostBytes) {
          chunks.push(chunk)
          return
        }
        settled()
        end('SIGKILL')
        reject(tooMuchOutput(command, mostBytes))
      })
    }
    let killing: ReturnType<typeof setTimeout> | undefined
    const onAbort = (): void => {
      end('SIGTERM')
      killing = setTimeout(() => end('SIGKILL'), KILL_AFTER_MS)
    }
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    const settled = (): void => {
      clearTimeout(killing)
      signal.removeEventListener('abort', onAbort)
    }
    child.on('error', settled)
    child.on('close', (code, name) => {
      settled()
      const status = code ?? 128 + (name === null ? 0 : constants.signals[name])
      resolve({ stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr), status })
    })
  })
}

/** Node's types say that a process has the pipes it was asked for. */
function hasPipes(child: { stdout: unknown }): boolean {
  return child.stdout !== undefined && child.stdout !== null
}

function tooMuchOutput(command: string, mostBytes: number): LlmspellError {
  return new LlmspellError(`the command wrote more than ${mostBytes / 1024 ** 2} MiB and was ended`, {
    code: 'command.too_much_output',
    data: { command, mostBytes },
    hint: 'Let it write to a file and read that.',
  })
}
