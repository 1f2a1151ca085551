import { closeSync, fstatSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { codeOf, LlmspellError, LOG_LEVELS, type Logger, type LogLevel, messageOf } from '@llmspell/base'

/** A logger whose level can be changed while it is used. */
export interface ProcessLog extends Logger {
  setLevel(level: LogLevel): void
}

/** Hands each line that is important enough to `write`, formatted. */
export function createProcessLog(
  level: LogLevel,
  write: (level: LogLevel, message: string, fields: Record<string, unknown>) => void,
): ProcessLog {
  let from = LOG_LEVELS.indexOf(level)
  const child = (base: Record<string, unknown>): Logger => ({
    log(at, message, fields) {
      if (LOG_LEVELS.indexOf(at) >= from) write(at, message, { ...base, ...fields })
    },
    child: (fields) => child({ ...base, ...fields }),
  })
  return {
    ...child({}),
    setLevel(next) {
      from = LOG_LEVELS.indexOf(next)
    },
  }
}

export function jsonLine(level: LogLevel, message: string, fields: Record<string, unknown>): string {
  return `${JSON.stringify({ time: new Date().toISOString(), level, msg: message, ...fields })}\n`
}

/** For the terminal or server log that owns our stderr. */
export function plainLine(level: LogLevel, message: string, fields: Record<string, unknown>): string {
  const details = Object.entries(fields).map(([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  return `llmspell kernel: ${level}: ${message}${details.length > 0 ? ` (${details.join('').trim()})` : ''}\n`
}

export interface LogFileOptions {
  file: string
  /** Bytes. */
  maxSize: number
  /** Older files that stay: `file.1` (newest) … `file.<keep>`. */
  keep: number
}

/**
 * A log file that begins anew when it is full. Written synchronously: a line that was logged is in the file whatever happens next,
 * and the kernel logs little. What the disk refuses is dropped and told once there is room.
 */
export class LogFile {
  readonly #options: LogFileOptions
  #descriptor: number
  #size: number
  #lost = 0

  constructor(options: LogFileOptions) {
    this.#options = options
    this.#descriptor = openLogFile(options.file)
    this.#size = fstatSync(this.#descriptor).size
  }

  write(line: string): void {
    if (this.#size > 0 && this.#size + line.length > this.#options.maxSize) this.#rotate()
    try {
      if (this.#lost > 0) this.#append(jsonLine('warn', 'log lines were lost: the disk refused them', { lost: this.#lost }))
      this.#lost = 0
      this.#append(line)
    } catch {
      this.#lost++
    }
  }

  /** After somebody else renamed the file (logrotate): goes on in a new one. */
  reopen(): void {
    const next = openSync(this.#options.file, 'a', 0o600)
    closeSync(this.#descriptor)
    this.#descriptor = next
    this.#size = fstatSync(next).size
  }

  #append(line: string): void {
    this.#size += writeSync(this.#descriptor, line)
  }

  #rotate(): void {
    const { file, keep } = this.#options
    try {
      for (let age = keep; age > 1; age--) renameIfThere(`${file}.${age - 1}`, `${file}.${age}`)
      if (keep > 0) renameIfThere(file, `${file}.1`)
      else rmSync(file, { force: true })
      this.reopen()
    } catch {
      // The directory is gone or full: better one large file than none.
      this.#size = 0
    }
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

function openLogFile(file: string): number {
  try {
    return openSync(file, 'a', 0o600)
  } catch (cause) {
    throw new LlmspellError(`cannot write the log file ${file}: ${codeOf(cause) ?? messageOf(cause)}`, {
      code: 'log.unusable',
      data: { file },
      cause,
      hint: 'Its directory must exist and be yours.',
    })
  }
}
