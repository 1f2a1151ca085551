import { readdirSync, readFileSync } from 'node:fs'

/** A process that this one has started, directly or not. */
export interface Descendant {
  pid: number
  /** In clock ticks since boot; with the pid it names a process for good. */
  startedAt: number
}

/** Descendants that were started at or after a moment, in clock ticks since boot. Only Linux tells; elsewhere none. */
export function descendantsSince(ticks: number, root: number = process.pid): Descendant[] {
  const found: Descendant[] = []
  const visit = (pid: number): void => {
    for (const child of childrenOf(pid)) {
      const startedAt = startOf(child)
      if (startedAt === undefined) continue
      if (startedAt >= ticks) found.push({ pid: child, startedAt })
      visit(child)
    }
  }
  visit(root)
  return found
}

export function signalDescendant({ pid, startedAt }: Descendant, signal: NodeJS.Signals): void {
  // Not another process that has got the same number since.
  if (startOf(pid) !== startedAt) return
  try {
    process.kill(pid, signal)
  } catch {
    // It has just ended.
  }
}

/** Whether the first thread of a process is on a processor or waits for one, and not for anything else. False when nobody tells. */
export function isRunning(pid: number): boolean {
  return read(`/proc/${pid}/task/${pid}/stat`)?.split(') ').at(-1)?.startsWith('R') === true
}

/** Now, in clock ticks since boot, rounded down. */
export function ticksNow(): number {
  const seconds = Number.parseFloat(read('/proc/uptime') ?? 'NaN')
  return Math.floor(seconds * TICKS_PER_SECOND)
}

/** USER_HZ: 100 on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      (read(`/proc/${pid}/task/${task}/children`) ?? '').split(' ').filter(Boolean).map(Number),
    )
  } catch {
    return []
  }
}

function startOf(pid: number): number | undefined {
  // The name in parentheses may hold anything; the start is the 20th field behind it.
  const fields = read(`/proc/${pid}/stat`)?.split(') ').at(-1)?.split(' ')
  return fields && Number(fields[19])
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
