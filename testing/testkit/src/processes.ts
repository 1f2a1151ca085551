import { readdirSync, readFileSync } from 'node:fs'

/** Processes are found through /proc: by what they are, never by a pattern over everybody's command lines. */

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined // it ended meanwhile, or belongs to somebody else
  }
}

/** Running, not merely waiting to be reaped. */
export function isAlive(pid: number): boolean {
  const stat = read(`/proc/${pid}/stat`)
  return stat !== undefined && !/^\d+ \(.*\) [ZX]/s.test(stat)
}

/** Live processes whose environment holds exactly this variable: what was started, directly or not, with a test's own home. */
export function processesWith(variable: string, value: string): { pid: number; command: string }[] {
  const wanted = `${variable}=${value}`
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && isAlive(pid) && read(`/proc/${pid}/environ`)?.split('\0').includes(wanted))
    .map((pid) => ({ pid, command: read(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ').trim() ?? '' }))
}

export function childrenOf(pid: number): number[] {
  const direct = (read(`/proc/${pid}/task/${pid}/children`) ?? '').split(' ').filter(Boolean).map(Number)
  return direct.flatMap((child) => [child, ...childrenOf(child)])
}

function statusBytes(pid: number, field: string): number {
  const line = read(`/proc/${pid}/status`)?.match(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm'))
  return line ? Number(line[1]) * 1024 : 0
}

/** Resident bytes of a process and its descendants. */
export function rssBytes(pid: number): number {
  return [pid, ...childrenOf(pid)].reduce((sum, each) => sum + statusBytes(each, 'VmRSS'), 0)
}

/** The most that this one process ever had resident. */
export function peakRssBytes(pid: number): number {
  return statusBytes(pid, 'VmHWM')
}
