// Globals of llmspell scripts. Generated from the catalogue; do not edit.

/**
 * Shows a value. A table whose keys are MIME types is shown as that bundle, any other value as text.
 * @param value a value, or a table such as `{["text/markdown"] = "**bold**"}`
 * @param options how to show it
 */
declare function display(value: any, options?: { id?: string; metadata?: Record<string, any> }): void

/** Shows a value as one kind of rich output. Every function takes `id`, under which `Display.update` replaces the output later. */
declare const Display: {
  /**
   * Shows HTML.
   * @param html the markup
   * @param options how to show it
   */
  html(html: string, options?: { id?: string; metadata?: Record<string, any> }): void
  /**
   * Shows Markdown.
   * @param text the text
   * @param options how to show it
   */
  markdown(text: string, options?: { id?: string; metadata?: Record<string, any> }): void
  /**
   * Shows an SVG picture.
   * @param svg the markup
   * @param options how to show it
   */
  svg(svg: string, options?: { id?: string; metadata?: Record<string, any> }): void
  /**
   * Shows a PNG picture.
   * @param data the bytes, or base64 text
   * @param options how to show it
   */
  png(data: any, options?: { id?: string; metadata?: Record<string, any> }): void
  /**
   * Shows a value as a JSON tree.
   * @param value what JSON can hold
   * @param options how to show it
   */
  json(value: any, options?: { id?: string; metadata?: Record<string, any> }): void
  /**
   * Shows rows as a table.
   * @param rows a list of objects or of lists
   * @param options how to show it
   */
  table(rows: any[], options?: { id?: string; metadata?: Record<string, any> }): void
  /**
   * Shows a Vega-Lite chart.
   * @param spec the Vega-Lite specification
   * @param options how to show it
   */
  vega(spec: Record<string, any>, options?: { id?: string; metadata?: Record<string, any> }): void
  /**
   * Shows mathematics.
   * @param text LaTeX source
   * @param options how to show it
   */
  latex(text: string, options?: { id?: string; metadata?: Record<string, any> }): void
  /**
   * Shows the effect of JavaScript run by the front end.
   * @param source the program
   * @param options how to show it
   */
  javascript(source: string, options?: { id?: string; metadata?: Record<string, any> }): void
  /**
   * Replaces an output that was shown with this id.
   * @param id the id it was shown with
   * @param value the new value, as for `display`
   */
  update(id: string, value: any): void
  /**
   * Clears the output of the cell.
   * @param wait clear only when new output arrives, which avoids flicker
   */
  clear(wait?: boolean): void
}

/**
 * Asks for one line. Fails with code `input.not_allowed` when the client takes no input; gives nothing at the end of input.
 * @param prompt shown before the answer
 * @param options how to ask
 * @returns the line without its end
 */
declare function input(prompt?: string, options?: { password?: boolean }): string | undefined

/**
 * Waits. An interrupt ends the wait.
 * @param seconds how long; fractions are allowed
 */
declare function sleep(seconds: number): Promise<void>

/** The arguments given to the script. */
declare const Args: any[]

/** Writes to the log of the kernel. */
declare const Log: {
  /**
   * Logs at level debug.
   * @param message what happened
   * @param fields details, as data
   */
  debug(message: string, fields?: Record<string, any>): void
  /**
   * Logs at level info.
   * @param message what happened
   * @param fields details, as data
   */
  info(message: string, fields?: Record<string, any>): void
  /**
   * Logs at level warn.
   * @param message what happened
   * @param fields details, as data
   */
  warn(message: string, fields?: Record<string, any>): void
  /**
   * Logs at level error.
   * @param message what happened
   * @param fields details, as data
   */
  error(message: string, fields?: Record<string, any>): void
}

/** Channels between the script and a front end, such as a widget: `comm.send(data)`, `comm.onMsg(fn)`, `comm.onClose(fn)`, `comm.close()`. */
declare const Comm: {
  /**
   * Opens a channel to a target of the front end.
   * @param target the name that the front end registered
   * @param data what the target gets on opening
   * @param metadata metadata of the message
   * @returns the channel
   */
  open(target: string, data?: any, metadata?: Record<string, any>): any
  /**
   * Names a function that is called with the channel and the data when a front end opens a channel to this name.
   * @param name the name
   * @param fn called with `(comm, data)`
   */
  registerTarget(name: string, fn: any): void
}

/** Values that outlive the script, the client and the kernel, shared by all languages. Anything JSON can hold; a write that returned is on disk. */
declare const State: {
  /**
   * The value of a key, or nothing when there is none.
   * @param key the name of the value, at most 512 bytes
   * @param options where, and how
   * @returns the value
   */
  get(key: string, options?: { scope?: string }): Promise<any>
  /**
   * The value of a key, or nothing when there is none.
   * @param key the name of the value, at most 512 bytes
   * @param options where, and how
   * @returns the value
   */
  getSync(key: string, options?: { scope?: string }): any
  /**
   * Stores a value under a key. With `version` only if the key is at that version (0: does not exist yet); otherwise fails with code `state.version_conflict`.
   * @param key the name of the value, at most 512 bytes
   * @param value text, a number, true or false, or a table of such values
   * @param options where, and how
   */
  set(key: string, value: any, options?: { scope?: string; version?: number }): Promise<void>
  /**
   * Stores a value under a key. With `version` only if the key is at that version (0: does not exist yet); otherwise fails with code `state.version_conflict`.
   * @param key the name of the value, at most 512 bytes
   * @param value text, a number, true or false, or a table of such values
   * @param options where, and how
   */
  setSync(key: string, value: any, options?: { scope?: string; version?: number }): void
  /**
   * Removes a key.
   * @param key the name of the value, at most 512 bytes
   * @param options where, and how
   * @returns whether there was one
   */
  delete(key: string, options?: { scope?: string }): Promise<boolean>
  /**
   * Removes a key.
   * @param key the name of the value, at most 512 bytes
   * @param options where, and how
   * @returns whether there was one
   */
  deleteSync(key: string, options?: { scope?: string }): boolean
  /**
   * Whether a key exists.
   * @param key the name of the value, at most 512 bytes
   * @param options where, and how
   * @returns true when it does
   */
  has(key: string, options?: { scope?: string }): Promise<boolean>
  /**
   * Whether a key exists.
   * @param key the name of the value, at most 512 bytes
   * @param options where, and how
   * @returns true when it does
   */
  hasSync(key: string, options?: { scope?: string }): boolean
  /**
   * The keys of a scope, sorted.
   * @param options where, and how
   * @returns the keys
   */
  list(options?: { scope?: string; prefix?: string; limit?: number }): Promise<any[]>
  /**
   * The keys of a scope, sorted.
   * @param options where, and how
   * @returns the keys
   */
  listSync(options?: { scope?: string; prefix?: string; limit?: number }): any[]
  /**
   * Keys with their values.
   * @param options where, and how
   * @returns a table from key to value
   */
  values(options?: { scope?: string; prefix?: string; limit?: number }): Promise<Record<string, any>>
  /**
   * Keys with their values.
   * @param options where, and how
   * @returns a table from key to value
   */
  valuesSync(options?: { scope?: string; prefix?: string; limit?: number }): Record<string, any>
  /**
   * A value with its version, for `State.set` with `version`: several writers then never lose an update.
   * @param key the name of the value, at most 512 bytes
   * @param options where, and how
   * @returns nothing when there is none, otherwise
   */
  entry(key: string, options?: { scope?: string }): Promise<{ value: any; version: number; updated: number } | undefined>
  /**
   * A value with its version, for `State.set` with `version`: several writers then never lose an update.
   * @param key the name of the value, at most 512 bytes
   * @param options where, and how
   * @returns nothing when there is none, otherwise
   */
  entrySync(key: string, options?: { scope?: string }): { value: any; version: number; updated: number } | undefined
  /**
   * Removes all keys of a scope, or those with a prefix, at once.
   * @param options where, and how
   * @returns how many there were
   */
  clear(options?: { scope?: string; prefix?: string }): Promise<number>
  /**
   * Removes all keys of a scope, or those with a prefix, at once.
   * @param options where, and how
   * @returns how many there were
   */
  clearSync(options?: { scope?: string; prefix?: string }): number
  /**
   * The scopes that hold something.
   * @returns their names; a session is "session:" and its id
   */
  scopes(): Promise<any[]>
  /**
   * The scopes that hold something.
   * @returns their names; a session is "session:" and its id
   */
  scopesSync(): any[]
}

/** The session of the client that runs this code, and notes about it that are kept: a title, tags, what it is for. */
declare const Session: {
  /**
   * The id of the session: the same for all code that one client sends.
   * @returns the id
   */
  id(): Promise<string>
  /**
   * The id of the session: the same for all code that one client sends.
   * @returns the id
   */
  idSync(): string
  /**
   * A note of this session, or all of them.
   * @param key its name; without it all notes are given
   * @returns the value, or a table of all
   */
  get(key?: string): Promise<any>
  /**
   * A note of this session, or all of them.
   * @param key its name; without it all notes are given
   * @returns the value, or a table of all
   */
  getSync(key?: string): any
  /**
   * Keeps a note of this session. Without a value the note is removed.
   * @param key its name
   * @param value anything JSON can hold
   */
  set(key: string, value?: any): Promise<void>
  /**
   * Keeps a note of this session. Without a value the note is removed.
   * @param key its name
   * @param value anything JSON can hold
   */
  setSync(key: string, value?: any): void
}

/** The kernel that runs this code. */
declare const Kernel: {
  /**
   * What the kernel is and how it does.
   * @returns facts of this moment
   */
  info(): Promise<{ id: string; pid: number; version: string; language: string; languages: any[]; cwd: string; started: string; uptime: number; memory: number; clients: number; counters: Record<string, any> }>
  /**
   * What the kernel is and how it does.
   * @returns facts of this moment
   */
  infoSync(): { id: string; pid: number; version: string; language: string; languages: any[]; cwd: string; started: string; uptime: number; memory: number; clients: number; counters: Record<string, any> }
}
