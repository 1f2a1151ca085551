export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error'

export const LOG_LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error']

/** Structured logging as a port: nothing in the packages prints by itself. */
export interface Logger {
  log(level: LogLevel, message: string, fields?: Record<string, unknown>): void
  child(fields: Record<string, unknown>): Logger
}

export const silentLogger: Logger = {
  log() {},
  child: () => silentLogger,
}

/** One JSON object a line (`time`, `level`, `msg`, then the fields), handed to `write`. */
export function jsonLogger(write: (line: string) => void, minimum: LogLevel = 'info', base: Record<string, unknown> = {}): Logger {
  const from = LOG_LEVELS.indexOf(minimum)
  return {
    log(level, message, fields) {
      if (LOG_LEVELS.indexOf(level) < from) return
      write(`${JSON.stringify({ time: new Date().toISOString(), level, msg: message, ...base, ...fields })}\n`)
    },
    child: (fields) => jsonLogger(write, minimum, { ...base, ...fields }),
  }
}

/** True when `LLMSPELL_TRACE` names this topic (comma-separated, or `all`). Read once per topic at start. */
export function traceEnabled(topic: string, value: string | undefined): boolean {
  if (!value) return false
  const topics = value.split(',').map((part) => part.trim())
  return topics.includes(topic) || topics.includes('all')
}
