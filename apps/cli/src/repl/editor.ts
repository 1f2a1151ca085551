/** A key as node:readline's `emitKeypressEvents` tells it. */
export interface Key {
  name?: string | undefined
  sequence?: string | undefined
  ctrl?: boolean | undefined
  meta?: boolean | undefined
  shift?: boolean | undefined
}

/** What the editor wants of whoever drives it; everything else it has done itself. */
export type EditorRequest = 'submit' | 'complete' | 'cancel' | 'end' | 'clear-screen' | 'suspend'

interface Search {
  query: string
  /** Index into the history of what is shown, or -1 while nothing matches. */
  found: number
  before: { text: string; cursor: number }
}

/**
 * Text of one or more lines, a cursor and a history, changed by keys as in the shells of this world. Knows no terminal.
 */
export class Editor {
  text = ''
  /** UTF-16 offset into `text`. */
  cursor = 0
  /** Oldest first. */
  readonly #history: readonly string[]
  /** Where in the history we are; its length is the new text. */
  #at: number
  /** What was typed before the history was entered; entries must begin with it. */
  #typed = ''
  #killed = ''
  #search: Search | undefined
  #pasting = false

  constructor(history: readonly string[]) {
    this.#history = history
    this.#at = history.length
  }

  /** The query of a running search, for the prompt. */
  get searching(): { query: string; failed: boolean } | undefined {
    return this.#search && { query: this.#search.query, failed: this.#search.found < 0 }
  }

  get beforeCursor(): string {
    return this.text.slice(0, this.cursor)
  }

  key(typed: string | undefined, key: Key): EditorRequest | undefined {
    if (key.name === 'paste-start' || key.name === 'paste-end') {
      this.#pasting = key.name === 'paste-start'
      return undefined
    }
    if (this.#pasting) {
      this.insert((typed ?? '').replace(/\r\n?/g, '\n'))
      return undefined
    }
    return this.#search ? this.#searchKey(typed, key) : this.#editKey(typed, key)
  }

  insert(text: string): undefined {
    return this.replace(this.cursor, this.cursor, text)
  }

  replace(start: number, end: number, text: string): undefined {
    this.text = this.text.slice(0, start) + text + this.text.slice(end)
    this.cursor = start + text.length
    this.#leaveHistory()
    return undefined
  }

  clear(): void {
    this.text = ''
    this.cursor = 0
    this.#search = undefined
    this.#leaveHistory()
  }

  #editKey(typed: string | undefined, key: Key): EditorRequest | undefined {
    const bound = key.ctrl ? CONTROL[key.name ?? ''] : key.meta ? META[key.name ?? ''] : PLAIN[key.name ?? '']
    if (bound) return bound(this.#operations)
    if (!key.ctrl && !key.meta && typed && !isControl(typed)) this.insert(typed)
    return undefined
  }

  readonly #operations: Operations = {
    submit: () => 'submit',
    complete: () => (/^\s*$/.test(this.#lineBeforeCursor()) ? this.insert('  ') : 'complete'),
    newline: () => this.insert('\n'),
    cancel: () => 'cancel',
    clearScreen: () => 'clear-screen',
    suspend: () => 'suspend',
    left: () => this.#move(previousBoundary(this.text, this.cursor)),
    right: () => this.#move(nextBoundary(this.text, this.cursor)),
    wordLeft: () => this.#move(wordStart(this.text, this.cursor)),
    wordRight: () => this.#move(wordEnd(this.text, this.cursor)),
    lineStart: () => this.#move(this.#lineStart()),
    lineEnd: () => this.#move(this.#lineEnd()),
    up: () => (this.#moveLine(-1) ? undefined : this.#older()),
    down: () => (this.#moveLine(1) ? undefined : this.#newer()),
    older: () => this.#older(),
    newer: () => this.#newer(),
    backspace: () => this.#cut(previousBoundary(this.text, this.cursor), this.cursor, false),
    remove: () => this.#cut(this.cursor, nextBoundary(this.text, this.cursor), false),
    endOrRemove: () => (this.text === '' ? 'end' : this.#cut(this.cursor, nextBoundary(this.text, this.cursor), false)),
    killToEnd: () => this.#cut(this.cursor, Math.max(this.#lineEnd(), this.#atLineEnd() ? this.cursor + 1 : 0), true),
    killToStart: () => this.#cut(this.#lineStart(), this.cursor, true),
    killWordLeft: () => this.#cut(wordStart(this.text, this.cursor), this.cursor, true),
    killWordRight: () => this.#cut(this.cursor, wordEnd(this.text, this.cursor), true),
    yank: () => this.insert(this.#killed),
    search: () => {
      this.#search = { query: '', found: this.#history.length, before: { text: this.text, cursor: this.cursor } }
      return undefined
    },
  }

  /** While searching, letters extend the query, Ctrl-R goes on, Ctrl-C and Ctrl-G give up, anything else takes what was found. */
  #searchKey(typed: string | undefined, key: Key): EditorRequest | undefined {
    const search = this.#search as Search
    if (key.ctrl && key.name === 'r') this.#find(search.query, search.found - 1)
    else if (key.name === 'backspace') this.#find(search.query.slice(0, -1), this.#history.length - 1)
    else if ((key.ctrl && (key.name === 'g' || key.name === 'c')) || key.name === 'escape') {
      this.#search = undefined
      this.text = search.before.text
      this.cursor = search.before.cursor
    } else if (typed && !key.ctrl && !key.meta && !isControl(typed)) {
      this.#find(search.query + typed, Math.min(search.found, this.#history.length - 1))
    } else {
      this.#search = undefined
      return this.#editKey(typed, key)
    }
    return undefined
  }

  #find(query: string, from: number): void {
    const search = this.#search as Search
    search.query = query
    const start = search.found < 0 ? this.#history.length - 1 : from
    for (let index = start; index >= 0; index--) {
      const entry = this.#history[index] as string
      const at = entry.lastIndexOf(query)
      if (at < 0) continue
      search.found = index
      this.text = entry
      this.cursor = at
      return
    }
    search.found = -1
  }

  #older(): undefined {
    if (this.#at === this.#history.length) this.#typed = this.text
    for (let index = this.#at - 1; index >= 0; index--) if (this.#offers(index)) return this.#show(index)
    return undefined
  }

  #newer(): undefined {
    if (this.#at === this.#history.length) return undefined
    for (let index = this.#at + 1; index < this.#history.length; index++) if (this.#offers(index)) return this.#show(index)
    this.#at = this.#history.length
    this.text = this.#typed
    this.cursor = this.text.length
    return undefined
  }

  #offers(index: number): boolean {
    const entry = this.#history[index] as string
    return entry !== this.text && entry.startsWith(this.#typed)
  }

  #show(index: number): undefined {
    this.#at = index
    this.text = this.#history[index] as string
    this.cursor = this.text.length
    return undefined
  }

  #leaveHistory(): void {
    this.#at = this.#history.length
  }

  #move(to: number): undefined {
    this.cursor = to
    return undefined
  }

  /** To the same column of the line above or below; false at the first or last line. */
  #moveLine(step: -1 | 1): boolean {
    const start = this.#lineStart()
    const column = this.cursor - start
    if (step < 0) {
      if (start === 0) return false
      const above = this.text.lastIndexOf('\n', start - 2) + 1
      this.cursor = Math.min(above + column, start - 1)
      return true
    }
    const end = this.#lineEnd()
    if (end === this.text.length) return false
    const nextEnd = this.text.indexOf('\n', end + 1)
    this.cursor = Math.min(end + 1 + column, nextEnd < 0 ? this.text.length : nextEnd)
    return true
  }

  #cut(start: number, end: number, keep: boolean): undefined {
    const from = Math.max(0, start)
    const to = Math.min(this.text.length, end)
    if (from >= to) return undefined
    if (keep) this.#killed = this.text.slice(from, to)
    this.replace(from, to, '')
    return undefined
  }

  #lineStart(): number {
    return this.text.lastIndexOf('\n', this.cursor - 1) + 1
  }

  #lineEnd(): number {
    const end = this.text.indexOf('\n', this.cursor)
    return end < 0 ? this.text.length : end
  }

  #atLineEnd(): boolean {
    return this.cursor === this.#lineEnd()
  }

  #lineBeforeCursor(): string {
    return this.text.slice(this.#lineStart(), this.cursor)
  }
}

type Operation =
  | 'submit'
  | 'complete'
  | 'newline'
  | 'cancel'
  | 'clearScreen'
  | 'suspend'
  | 'left'
  | 'right'
  | 'wordLeft'
  | 'wordRight'
  | 'lineStart'
  | 'lineEnd'
  | 'up'
  | 'down'
  | 'older'
  | 'newer'
  | 'backspace'
  | 'remove'
  | 'endOrRemove'
  | 'killToEnd'
  | 'killToStart'
  | 'killWordLeft'
  | 'killWordRight'
  | 'yank'
  | 'search'
type Operations = Record<Operation, () => EditorRequest | undefined>
type Bindings = Record<string, (operations: Operations) => EditorRequest | undefined>

function bindings(table: Record<string, Operation>): Bindings {
  return Object.fromEntries(Object.entries(table).map(([name, operation]) => [name, (operations: Operations) => operations[operation]()]))
}

const PLAIN: Bindings = bindings({
  return: 'submit',
  enter: 'newline',
  tab: 'complete',
  left: 'left',
  right: 'right',
  up: 'up',
  down: 'down',
  home: 'lineStart',
  end: 'lineEnd',
  backspace: 'backspace',
  delete: 'remove',
})

const CONTROL: Bindings = bindings({
  a: 'lineStart',
  b: 'left',
  c: 'cancel',
  d: 'endOrRemove',
  e: 'lineEnd',
  f: 'right',
  h: 'backspace',
  j: 'newline',
  k: 'killToEnd',
  l: 'clearScreen',
  n: 'newer',
  p: 'older',
  r: 'search',
  u: 'killToStart',
  w: 'killWordLeft',
  y: 'yank',
  z: 'suspend',
  left: 'wordLeft',
  right: 'wordRight',
})

const META: Bindings = bindings({
  b: 'wordLeft',
  f: 'wordRight',
  d: 'killWordRight',
  left: 'wordLeft',
  right: 'wordRight',
  backspace: 'killWordLeft',
  return: 'newline',
  enter: 'newline',
})

function isControl(text: string): boolean {
  const code = text.charCodeAt(0)
  return code < 32 || code === 127
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

function previousBoundary(text: string, from: number): number {
  if (from === 0) return 0
  let last = 0
  for (const { index } of graphemes.segment(text.slice(0, from))) last = index
  return last
}

function nextBoundary(text: string, from: number): number {
  const [first] = graphemes.segment(text.slice(from))
  return first ? from + first.segment.length : from
}

function wordStart(text: string, from: number): number {
  return /[\p{L}\p{N}_]*[^\p{L}\p{N}_]*$/u.exec(text.slice(0, from))?.index ?? 0
}

function wordEnd(text: string, from: number): number {
  return from + (/^[^\p{L}\p{N}_]*[\p{L}\p{N}_]*/u.exec(text.slice(from))?.[0].length ?? 0)
}
