import { emitKeypressEvents } from 'node:readline'
import type { Terminal } from '../terminal.ts'
import { Editor, type Key } from './editor.ts'
import { textWidth } from './text-width.ts'
import { erase, layOut, leave, place, type Shown } from './view.ts'

export interface Completion {
  matches: readonly string[]
  /** What of the text the matches replace. */
  start: number
  end: number
}

export interface PromptOptions {
  terminal: Terminal
  history: readonly string[]
  /** Shown before the first line, without colour. */
  label: string
  /** What leaves the prompt, besides Ctrl-D. */
  quit: string
  highlight(text: string): string
  /** Whether Enter ends the input; otherwise the indentation of the next line. */
  isComplete(text: string): Promise<{ complete: true } | { complete: false; indent: string }>
  complete(text: string, cursor: number): Promise<Completion>
}

/** `end`: Ctrl-D at an empty prompt, or the terminal went away. */
export type PromptResult = { type: 'input'; text: string } | { type: 'end' }

/**
 * Reads one input, of one line or several, at a terminal. While it waits, `print` writes above it: output that comes late
 * does not tear what is being typed.
 */
export class Prompt {
  readonly #options: PromptOptions
  readonly #editor: Editor
  #shown: Shown | undefined
  #busy = false

  constructor(options: PromptOptions) {
    this.#options = options
    this.#editor = new Editor(options.history)
  }

  read(): Promise<PromptResult> {
    const { stdin, stdout } = this.#options.terminal
    emitKeypressEvents(stdin)
    stdin.setRawMode(true)
    stdout.write(BRACKETED_PASTE_ON)
    stdin.resume()
    this.#draw()
    return new Promise((resolve) => {
      const waiting: { typed: string | undefined; key: Key }[] = []
      const finish = (result: PromptResult): void => {
        stdin.off('keypress', onKey)
        stdin.off('end', onEnd)
        stdout.off('resize', onResize)
        stdin.setRawMode(false)
        stdin.pause()
        if (this.#shown) stdout.write(leave(this.#shown))
        this.#shown = undefined
        stdout.write(BRACKETED_PASTE_OFF)
        // What was typed ahead behind the Enter belongs to the next prompt.
        if (waiting.length > 0) stdin.unshift(waiting.map(({ key }) => key.sequence ?? '').join(''))
        resolve(result)
      }
      const onKey = (typed: string | undefined, key: Key): void => {
        waiting.push({ typed, key })
        void drain()
      }
      const drain = async (): Promise<void> => {
        if (this.#busy) return
        this.#busy = true
        for (let next = waiting.shift(); next; next = waiting.shift()) {
          const result = await this.#handle(next.typed, next.key)
          if (result) {
            finish(result)
            return
          }
        }
        this.#busy = false
      }
      const onEnd = (): void => finish({ type: 'end' })
      const onResize = (): void => this.#draw()
      stdin.on('keypress', onKey)
      stdin.on('end', onEnd)
      stdout.on('resize', onResize)
    })
  }

  /** Writes above the prompt. */
  print(text: string): void {
    const { stdout } = this.#options.terminal
    if (this.#shown) stdout.write(erase(this.#shown))
    this.#shown = undefined
    stdout.write(text.endsWith('\n') ? text : `${text}\n`)
    this.#draw()
  }

  async #handle(typed: string | undefined, key: Key): Promise<PromptResult | undefined> {
    const request = this.#editor.key(typed, key)
    switch (request) {
      case 'submit':
        return this.#submit()
      case 'complete':
        await this.#complete()
        break
      case 'cancel':
        this.#cancel()
        break
      case 'end':
        return { type: 'end' }
      case 'clear-screen':
        this.#options.terminal.stdout.write('\x1b[H\x1b[2J')
        this.#shown = undefined
        break
      case 'suspend':
        this.#suspend()
        break
      case undefined:
        break
    }
    this.#draw()
    return undefined
  }

  async #submit(): Promise<PromptResult | undefined> {
    const { text } = this.#editor
    const answer = await this.#options.isComplete(text)
    // A second Enter on an empty last line ends what the kernel would still go on with.
    if (answer.complete || /\n[ \t]*$/.test(text)) {
      this.#editor.cursor = text.length
      this.#draw()
      return { type: 'input', text: text.replace(/\n[ \t]*$/, '') }
    }
    this.#editor.cursor = text.length
    this.#editor.insert(`\n${answer.indent}`)
    this.#draw()
    return undefined
  }

  async #complete(): Promise<void> {
    const { matches, start, end } = await this.#options.complete(this.#editor.text, this.#editor.cursor)
    if (matches.length === 0) return
    const shared = commonPrefix(matches)
    const present = this.#editor.text.slice(start, end)
    if (shared.length > present.length && shared.startsWith(present)) this.#editor.replace(start, end, shared)
    else if (matches.length === 1) this.#editor.replace(start, end, matches[0] as string)
    if (matches.length > 1) this.print(columns(matches, this.#columns()))
  }

  /** Clears the input; at an empty prompt says how to leave. */
  #cancel(): void {
    const { stdout } = this.#options.terminal
    const empty = this.#editor.text === ''
    if (this.#shown) stdout.write(leave(this.#shown))
    this.#shown = undefined
    this.#editor.clear()
    if (empty) stdout.write(`(Ctrl-D or ${this.#options.quit} leaves)\n`)
  }

  /** As the shell's job control expects; `fg` brings the prompt back. */
  #suspend(): void {
    const { stdin, stdout } = this.#options.terminal
    if (this.#shown) stdout.write(leave(this.#shown))
    this.#shown = undefined
    stdin.setRawMode(false)
    process.once('SIGCONT', () => {
      stdin.setRawMode(true)
      this.#draw()
    })
    process.kill(process.pid, 'SIGTSTP')
  }

  #draw(): void {
    const { terminal, label, highlight } = this.#options
    const { searching } = this.#editor
    const prompt = searching ? `(${searching.failed ? 'not found' : 'search'} "${searching.query}") ` : label
    const width = textWidth(prompt)
    const shown = layOut(this.#editor.text, this.#editor.cursor, {
      prompt: terminal.colors('stdout') ? `\x1b[1m${prompt}\x1b[22m` : prompt,
      promptWidth: width,
      continuation: '… '.padStart(width),
      columns: this.#columns(),
      highlight: terminal.colors('stdout') ? highlight : (text) => text,
    })
    terminal.stdout.write(`${this.#shown ? erase(this.#shown) : ''}${shown.ansi}${place(shown)}`)
    this.#shown = shown
  }

  #columns(): number {
    return Math.max(20, this.#options.terminal.stdout.columns || 80)
  }
}

/** A paste comes as one thing, its line ends are not Enter. */
const BRACKETED_PASTE_ON = '\x1b[?2004h'
const BRACKETED_PASTE_OFF = '\x1b[?2004l'

function commonPrefix(words: readonly string[]): string {
  let prefix = words[0] ?? ''
  for (const word of words) while (!word.startsWith(prefix)) prefix = prefix.slice(0, -1)
  return prefix
}

/** The most of a list of matches that is shown. */
const MATCHES_SHOWN = 200

function columns(words: readonly string[], width: number): string {
  const shown = words.slice(0, MATCHES_SHOWN)
  const cell = Math.max(...shown.map(textWidth)) + 2
  const perRow = Math.max(1, Math.floor(width / cell))
  const rows: string[] = []
  for (let at = 0; at < shown.length; at += perRow)
    rows.push(
      shown
        .slice(at, at + perRow)
        .map((word) => word + ' '.repeat(cell - textWidth(word)))
        .join('')
        .trimEnd(),
    )
  if (words.length > shown.length) rows.push(`… and ${words.length - shown.length} more`)
  return `${rows.join('\n')}\n`
}
