import { readFileSync } from 'node:fs'

/** A pid alone names nothing for long: pids are used again. Together with the start time it names one process. */
export interface ProcessIdentity {
  readonly pid: number
  readonly startTime: string
}

/**
 * Start time of a process as the system tells it (Linux: clock ticks since boot), comparable only as text and only on this
 * machine; `undefined` when there is no such process, or only its unreaped remains.
 */
export function startTimeOf(pid: number): string | undefined {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined
  if (process.platform === 'linux') return linuxStartTime(pid)
  if (process.platform === 'win32') return isSignalable(pid) ? 'unknown' : undefined
  // Loaded only where there is no /proc: it costs every command some milliseconds.
  const { spawnSync } = process.getBuiltinModule('node:child_process')
  const { stdout } = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } })
  return stdout.trim() || undefined
}

export function isRunning(identity: ProcessIdentity): boolean {
  return startTimeOf(identity.pid) === identity.startTime
}

let own: ProcessIdentity | undefined

export function ownIdentity(): ProcessIdentity {
  own ??= { pid: process.pid, startTime: startTimeOf(process.pid) ?? 'unknown' }
  return own
}

/** proc(5): `pid (comm) state ppid …`; the command may hold blanks and parentheses, the start time is field 22. */
function linuxStartTime(pid: number): string | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return undefined
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
}

function isSignalable(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
