import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { makeDirectory } from '@llmspell/base/make-directory'

/** Entries kept; the file is cut to this when it is read with half as many more. */
const KEEP = 5_000

/**
 * What was entered at prompts, one JSON string a line: several prompts at once only append. A file that cannot be written is told of
 * once; the history is then that of this prompt.
 */
export class HistoryFile {
  readonly entries: string[]
  readonly #path: string
  #onProblem: ((error: unknown) => void) | undefined

  constructor(path: string, onProblem: (error: unknown) => void) {
    this.#path = path
    this.#onProblem = onProblem
    this.entries = readEntries(path)
    if (this.entries.length <= KEEP * 1.5) return
    this.entries.splice(0, this.entries.length - KEEP)
    this.#write(() => {
      const temporary = `${path}.${process.pid}`
      writeFileSync(temporary, this.entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''), { mode: 0o600 })
      renameSync(temporary, path)
    })
  }

  /** Not twice in a row, and nothing that begins with a blank, as shells have it. */
  add(entry: string): void {
    if (entry === this.entries.at(-1) || entry.startsWith(' ') || entry === '') return
    this.entries.push(entry)
    this.#write(() => {
      makeDirectory(dirname(this.#path), 0o700)
      appendFileSync(this.#path, `${JSON.stringify(entry)}\n`, { mode: 0o600 })
    })
  }

  #write(write: () => void): void {
    try {
      write()
    } catch (error) {
      this.#onProblem?.(error)
      this.#onProblem = undefined
    }
  }
}

/** A line that cannot be read (a write that was cut off) is passed over. */
function readEntries(path: string): string[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return []
  }
  return text.split('\n').flatMap((line) => {
    try {
      const entry: unknown = JSON.parse(line)
      return typeof entry === 'string' ? [entry] : []
    } catch {
      return []
    }
  })
}
