import { basename, resolve } from 'node:path'
import { LlmspellError, messageOf } from '@llmspell/base'
import type { Dap } from '@llmspell/dap'
import type { Context } from '../../context.ts'
import { excerpt } from '../../render/excerpt.ts'
import { highlight } from '../../repl/highlight.ts'
import type { Language } from '../../session/languages.ts'
import type { BreakpointBook, Entry } from './breakpoint-book.ts'
import type { Debuggee, State, Stop } from './debuggee.ts'
import { readText, shortPath, sourceText } from './source-text.ts'

export interface ConsoleOptions {
  context: Context
  debuggee: Debuggee
  book: BreakpointBook
  /** Starts the script, or attaches; false: stops on its first line. */
  start(freely: boolean): Promise<void>
  /** The script of `debug FILE`; none when attached. */
  program?: string
  language?: Language
  /** Above a prompt that waits, else as it comes. */
  write(text: string): void
}

/** What the commands of the terminal debugger work with, and how they show things. */
export class DebugConsole {
  readonly context: Context
  readonly debuggee: Debuggee
  readonly book: BreakpointBook
  readonly program: string | undefined
  readonly start: (freely: boolean) => Promise<void>
  /** Shown at every stop. */
  readonly displays: Map<number, string> = new Map()
  /** Where `list` goes on. */
  listed: { path: string; next: number } | undefined
  /** True until the script has been let go for the first time. */
  fresh = true
  readonly #options: ConsoleOptions
  /** The script's output stands in the middle of a line. */
  #midLine: string | undefined

  constructor(options: ConsoleOptions) {
    const { context, debuggee, book, program, start } = options
    this.#options = options
    this.context = context
    this.debuggee = debuggee
    this.book = book
    this.program = program
    this.start = start
  }

  get colors(): boolean {
    return this.context.terminal.colors('stdout')
  }

  /** Lines of the debugger itself. */
  say(text: string): void {
    const open = this.#midLine === undefined ? '' : '\n'
    this.#midLine = undefined
    this.#options.write(`${open}${text}\n`)
  }

  /** What the script prints, behind a bar, so that it is not taken for the debugger's own words. */
  scriptOutput({ category = 'console', output, source, line }: Dap.OutputEventBody): void {
    if (category === 'telemetry') return
    if (category !== 'stdout' && category !== 'stderr') {
      const at = source?.path !== undefined && line ? `${this.path(source.path)}:${line}: ` : ''
      return this.say(`${at}${output.replace(/\n$/, '')}`)
    }
    let text = ''
    for (const piece of output.split(/(?<=\n)/)) {
      if (this.#midLine !== category) {
        if (this.#midLine !== undefined) text += '\n'
        text += this.paint(category === 'stdout' ? '│ ' : '┃ ', category === 'stdout' ? '2' : '31')
      }
      text += piece
      this.#midLine = piece.endsWith('\n') ? undefined : category
    }
    this.#options.write(text)
  }

  paint(text: string, style: string): string {
    return this.colors ? `\x1b[${style}m${text}\x1b[0m` : text
  }

  code(text: string): string {
    return this.colors ? highlight(text, this.#options.language ?? 'lua') : text
  }

  path(path: string): string {
    return shortPath(path, this.context.cwd)
  }

  /** Lets something run, and tells how it ended. */
  async run(go: () => Promise<State>): Promise<void> {
    this.fresh = false
    await this.tell(await go())
  }

  async tell(state: State): Promise<void> {
    this.listed = undefined
    switch (state.type) {
      case 'idle':
        break
      case 'running':
        this.say('it still runs; `continue` waits for it, Ctrl-C stops it')
        break
      case 'stopped':
        await this.tellStop(state.stop)
        break
      case 'ended':
        this.say(
          state.reason !== undefined
            ? `the debugging has ended: ${state.reason}`
            : state.exitCode === undefined
              ? 'the debugging has ended'
              : `the script has ended with exit code ${state.exitCode}`,
        )
    }
  }

  async tellStop(stop: Stop): Promise<void> {
    const { body, frames } = stop
    const [top] = frames
    const hit = this.book.hit(body, top)
    for (const entry of hit)
      if (entry.temporary) {
        this.book.remove(entry)
        await this.sync(entry)
      }
    const thread = await this.#threadName(stop.threadId)
    const why = hit.length > 0 ? `breakpoint ${hit.map(({ number }) => number).join(', ')}` : (body.description ?? body.reason)
    const words = [body.reason !== 'step' && this.paint(why, '1'), top && this.placeOf(top)].filter(Boolean)
    this.say(`${words.join(', ') || why}${thread}`)
    if (body.reason === 'exception') await this.#tellException(stop)
    if (top) await this.showLine(top)
    await this.showDisplays()
  }

  placeOf({ name, source, line }: Dap.StackFrame): string {
    const file = source?.path ?? source?.name
    return file === undefined ? name : `${name} at ${this.path(file)}:${line}`
  }

  /** The lines around a frame's own. */
  async showLine(frame: Dap.StackFrame): Promise<void> {
    const text = await sourceText(this.debuggee, frame.source)
    const lines = text === undefined ? undefined : excerpt(text.replace(/\n$/, ''), { source: '', line: frame.line }, this.colors)
    if (lines !== undefined) this.say(lines)
  }

  async showDisplays(): Promise<void> {
    for (const [number, expression] of this.displays) {
      try {
        const { result } = await this.evaluate(expression, 'watch')
        this.say(`${number}: ${expression} = ${result}`)
      } catch (error) {
        this.say(`${number}: ${expression}: ${messageOf(error)}`)
      }
    }
  }

  /** In the frame that is looked at. */
  evaluate(expression: string, context: 'watch' | 'repl'): Promise<Dap.EvaluateResponseBody> {
    return this.debuggee.client.request('evaluate', { expression, frameId: this.debuggee.frame.id, context })
  }

  /** The session hears of a change of this breakpoint. */
  sync(entry: Entry): Promise<void> {
    return entry.kind === 'line' ? this.debuggee.syncSource(entry.file) : this.debuggee.syncFunctions()
  }

  /** `FILE:LINE`, or a line of the file that is looked at. Undefined when it is neither. */
  async place(text: string): Promise<{ file: string; line: number } | undefined> {
    const match = /^(?:(.+):)?(\d+)$/.exec(text)
    if (!match) return undefined
    const line = Number(match[2])
    if (line < 1) throw new LlmspellError('lines are counted from 1', { code: 'usage.bad_argument' })
    const file = match[1] === undefined ? this.currentFile() : await this.#fileNamed(match[1])
    const lines = readText(file)?.replace(/\n$/, '').split('\n').length
    if (lines !== undefined && line > lines)
      throw new LlmspellError(`${this.path(file)} has ${lines} lines`, { code: 'usage.bad_argument', data: { file, line } })
    return { file, line }
  }

  currentFile(): string {
    const { state } = this.debuggee
    const path = state.type === 'stopped' ? state.stop.frames[state.stop.at]?.source?.path : undefined
    const file = path ?? this.program
    if (file !== undefined) return file
    throw new LlmspellError('there is no current file; write FILE:LINE', { code: 'usage.bad_argument' })
  }

  /** A path from here, or the end of the path of something that is loaded. */
  async #fileNamed(name: string): Promise<string> {
    const path = resolve(this.context.cwd, name)
    if (readText(path) !== undefined) return path
    const beside = this.program === undefined ? undefined : resolve(this.program, '..', name)
    if (beside !== undefined && readText(beside) !== undefined) return beside
    const loaded = await this.#loadedPaths()
    const found = loaded.find((other) => other === name || other.endsWith(`/${name}`))
    if (found !== undefined) return found
    throw new LlmspellError(`there is no file ${name}`, {
      code: 'usage.bad_argument',
      data: { file: path },
      ...(loaded.length > 0 && { hint: `Loaded are ${loaded.map((other) => basename(other)).join(', ')}.` }),
    })
  }

  async #loadedPaths(): Promise<string[]> {
    if (!this.debuggee.capabilities.supportsLoadedSourcesRequest) return []
    try {
      const { sources } = await this.debuggee.client.request('loadedSources')
      return sources.flatMap(({ path }) => path ?? [])
    } catch {
      return []
    }
  }

  async #threadName(threadId: number): Promise<string> {
    const threads = await this.debuggee.threads().catch(() => [])
    const own = threads.find(({ id }) => id === threadId)
    return threads.length > 1 && own ? ` (thread ${own.id}, ${own.name})` : ''
  }

  async #tellException({ threadId, body }: Stop): Promise<void> {
    let told = body.text
    if (this.debuggee.capabilities.supportsExceptionInfoRequest) {
      try {
        const { exceptionId, description } = await this.debuggee.client.request('exceptionInfo', { threadId })
        told = description?.includes(exceptionId) ? description : `${exceptionId}: ${description ?? ''}`
      } catch {
        // The event's own text will do.
      }
    }
    if (told) this.say(this.paint(told, '31'))
  }
}
