/** Seconds east of UTC at a time: `seconds` since 1970, in UTC or (isLocal) as the wall clock of the zone shows it. */
export function zoneOffset(seconds: number, isLocal: boolean, timeZone: string | undefined): number {
  if (!isLocal) return offsetAt(seconds, timeZone)
  const guess = offsetAt(seconds, timeZone)
  return offsetAt(seconds - guess, timeZone)
}

function offsetAt(seconds: number, timeZone: string | undefined): number {
  const date = new Date(seconds * 1000)
  if (Number.isNaN(date.getTime())) return 0
  if (timeZone === undefined) return -Math.round(date.getTimezoneOffset() * 60)
  const parts: Record<string, number> = {}
  for (const part of formatFor(timeZone).formatToParts(date)) parts[part.type] = Number(part.value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
  return Math.round((Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(seconds) * 1000) / 1000)
}

const formats = new Map<string, Intl.DateTimeFormat>()

function formatFor(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone)
  if (!format) {
    const numeric = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' } as const
    format = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', ...numeric })
    formats.set(timeZone, format)
  }
  return format
}

/** Microseconds of CPU time of this thread, where Node can tell. */
export function processorTime(): number {
  const { threadCpuUsage } = process as { threadCpuUsage?: () => { user: number; system: number } }
  const { user, system } = threadCpuUsage?.call(process) ?? process.cpuUsage()
  return user + system
}
