import { lstat, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf, LlmspellError, messageOf } from '@llmspell/base'
import { type CellNaming, cellSource, isCellSource } from '@llmspell/debug/cells'
import { cellDirectory } from './cell-names.ts'

/** Cells whose text is remembered although no front end dumped it. */
const REMEMBERED = 1000
/** Milliseconds after which a dumped cell is nobody's any more. */
const KEPT = 7 * 24 * 3600_000
/** A debugger shows source text; more than this is none. */
const MOST_BYTES = 32 * 1024 ** 2

/** Texts of cells by the path that debuggers know them by, and of files. */
export class CellFiles {
  readonly #naming: CellNaming
  readonly #texts = new Map<string, string>()
  #ready: Promise<void> | undefined
  #written = 0

  constructor(naming: CellNaming) {
    this.#naming = naming
  }

  remember(path: string, code: string): void {
    this.#texts.delete(path)
    this.#texts.set(path, code)
    if (this.#texts.size > REMEMBERED) this.#texts.delete(this.#texts.keys().next().value as string)
  }

  /** Writes the cell where front ends may read it; nobody else may. */
  async dump(code: string): Promise<string> {
    const path = cellSource(this.#naming, code)
    this.remember(path, code)
    this.#ready ??= this.#prepare()
    try {
      await this.#ready
      // A front end may dump two cells of the same text at once.
      const temporary = `${path}.${process.pid}-${++this.#written}.tmp`
      const file = await open(temporary, 'w', 0o600)
      await file.writeFile(code).finally(() => file.close())
      await rename(temporary, path)
    } catch (cause) {
      this.#ready = undefined
      if (LlmspellError.is(cause)) throw cause
      throw new LlmspellError(`cannot write the cell to ${path}: ${messageOf(cause)}`, { code: 'debug.cell_not_written', cause })
    }
    return path
  }

  /** `undefined` when there is no such source, or it is no text. */
  async read(source: string): Promise<string | undefined> {
    const known = this.#texts.get(source)
    if (known !== undefined) return known
    try {
      const found = await stat(source)
      // Devices and pipes may never end.
      if (!found.isFile() || found.size > MOST_BYTES) return undefined
      const bytes = await readFile(source)
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    } catch {
      return undefined
    }
  }

  async #prepare(): Promise<void> {
    const directory = cellDirectory()
    await mkdir(directory, { mode: 0o700 }).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error
    })
    const found = await lstat(directory)
    const foreign = process.getuid && found.uid !== process.getuid()
    if (!found.isDirectory() || foreign || (process.getuid && (found.mode & 0o077) !== 0))
      throw new LlmspellError(`${directory} is not a directory of this user alone`, {
        code: 'debug.cell_not_written',
        hint: 'Remove it, or set TMPDIR.',
      })
    await this.#sweep(directory)
  }

  async #sweep(directory: string): Promise<void> {
    const before = Date.now() - KEPT
    for (const name of await readdir(directory)) {
      const path = join(directory, name)
      const old = await stat(path).then(
        ({ mtimeMs }) => mtimeMs < before,
        () => false,
      )
      if (old && (isCellSource(this.#naming, path) || /^restart-.*\.json$|\.tmp$/.test(name))) await rm(path, { force: true })
    }
  }
}
