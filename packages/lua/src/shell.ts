import { spawnSync } from 'node:child_process'
import { constants } from 'node:os'

/** A finished command. */
export interface CommandResult {
  stdout: Uint8Array
  stderr: Uint8Array
  /** Exit code, or 128 + number of the signal that ended it. */
  status: number
}

/** Runs a command with the system's shell and waits for it. */
export function runShell(
  command: string,
  options: { cwd: string; env: Readonly<Record<string, string>>; input?: Uint8Array },
): CommandResult {
  const env = { ...options.env }
  const result = spawnSync(command, {
    shell: true,
    cwd: options.cwd,
    env,
    input: options.input ?? new Uint8Array(0),
    maxBuffer: Number.POSITIVE_INFINITY,
    windowsHide: true,
  })
  if (result.error) throw result.error
  return {
    stdout: result.stdout,
    stderr: result.stderr,
    status: result.status ?? 128 + (result.signal === null ? 0 : constants.signals[result.signal]),
  }
}
