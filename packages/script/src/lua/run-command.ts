import { spawn } from 'node:child_process'
import type { CommandResult } from '@llmspell/lua'

/** How long a command that is to end may take to do so by itself. */
const KILL_AFTER_MS = 1_000

const SIGNAL_NUMBERS: Partial<Record<NodeJS.Signals, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGTERM: 15,
}

/**
 * Runs a shell command for `os.execute` and `io.popen` on the kernel's side, where it can be stopped: aborting ends the command
 * with all processes it started.
 */
export function runCommand(
  { command, cwd, env, input }: { command: string; cwd: string; env: Readonly<Record<string, string>>; input?: Uint8Array },
  signal: AbortSignal,
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const isWindows = process.platform === 'win32'
    const child = spawn(command, { shell: true, cwd, env, detached: !isWindows, windowsHide: true, stdio: ['pipe', 'pipe', 'pipe'] })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
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
    child.on('error', (error) => {
      settled()
      reject(error)
    })
    child.on('close', (code, name) => {
      settled()
      const status = code ?? 128 + (name === null ? 0 : (SIGNAL_NUMBERS[name] ?? 0))
      resolve({ stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr), status })
    })
  })
}
