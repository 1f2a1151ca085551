import { statSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'

/** Cells whose text is kept for debuggers, and bytes of it. */
const KEPT_TEXTS = 1_000
const KEPT_LENGTH = 16 * 1024 * 1024

/** Chunks of the host's own. */
const OWN = new Set(['=(evaluate)', '=(condition)', '=(trial)', '=(probe)', '=(inspector)'])
const HIDDEN = -1

interface Source {
  number: number
  name: string
  text?: string
}

/**
 * What a namespace has loaded, by number: functions carry the number of their source, whatever their chunks are called. The same
 * notebook cell run twice is one source; two cells of one name are two.
 */
export class LuaSources {
  readonly #byName = new Map<string, Source>()
  readonly #byNumber: Source[] = []
  readonly #anonymous = new Map<string, number>()
  readonly #texts: Source[] = []
  #length = 0

  /** Gives a source its number. The text is kept for those that are no files. */
  number(name: string, text?: string): number {
    let source = this.#byName.get(name)
    if (!source) {
      source = { number: this.#byNumber.length + 1, name }
      this.#byName.set(name, source)
      this.#byNumber.push(source)
    }
    if (text !== undefined && source.text !== text) this.#keep(source, text)
    return source.number
  }

  /** For a chunk that a script loads itself, by the name Lua has for it. `cwd`: where paths begin. */
  numberOfChunk(chunkName: string, text: string | undefined, cwd: string): number {
    if (OWN.has(chunkName)) return HIDDEN
    if (chunkName.startsWith('@')) {
      const path = resolve(cwd, chunkName.slice(1))
      const isFile = statSync(path, { throwIfNoEntry: false })?.isFile() === true
      return isFile ? this.number(path) : this.number(chunkName.slice(1), text)
    }
    if (chunkName.startsWith('=')) return this.number(chunkName.slice(1), text)
    return this.#anonymousNumber(chunkName)
  }

  find(name: string): number | undefined {
    return this.#byName.get(name)?.number
  }

  name(number: number): string | undefined {
    return this.#byNumber[number - 1]?.name
  }

  text(name: string): string | undefined {
    return this.#byName.get(name)?.text
  }

  names(): string[] {
    return [...this.#byName.keys()]
  }

  /** A chunk without a name is called by its text. */
  #anonymousNumber(text: string): number {
    const known = this.#anonymous.get(text)
    if (known !== undefined) return known
    const line = text.trimStart().split('\n', 1)[0] ?? ''
    const title = `[string "${line.length > 60 ? `${line.slice(0, 60)}…` : line}"]`
    let name = title
    for (let i = 2; this.#byName.has(name); i++) name = `${title} #${i}`
    const number = this.number(name, text)
    if (this.#anonymous.size >= KEPT_TEXTS) this.#anonymous.clear()
    this.#anonymous.set(text, number)
    return number
  }

  #keep(source: Source, text: string): void {
    if (isAbsolute(source.name) && source.text === undefined && statSync(source.name, { throwIfNoEntry: false })?.isFile()) return
    this.#length += text.length - (source.text?.length ?? 0)
    source.text = text
    this.#texts.push(source)
    while (this.#texts.length > KEPT_TEXTS || (this.#length > KEPT_LENGTH && this.#texts.length > 1)) {
      const oldest = this.#texts.shift()
      if (!oldest || this.#texts.includes(oldest)) continue
      this.#length -= oldest.text?.length ?? 0
      delete oldest.text
    }
  }
}
