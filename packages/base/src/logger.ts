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

/** True when `LLMSPELL_TRACE` names this topic (comma-separated, or `all`). Read once per topic at start. */
export function traceEnabled(topic: string, value: string | undefined): boolean {
  if (!value) return false
  const topics = value.split(',').map((part) => part.trim())
  return topics.includes(topic) || topics.includes('all')
}
