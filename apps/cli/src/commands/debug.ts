import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { LlmspellError, messageOf, traceEnabled } from '@llmspell/base'
import { type Context, flag, option } from '../context.ts'
import { BreakpointBook } from '../debugging/console/breakpoint-book.ts'
import { parseCommand } from '../debugging/console/command.ts'
import { debugCommands } from '../debugging/console/commands.ts'
import { complete } from '../debugging/console/completion.ts'
import { DebugConsole } from '../debugging/console/console.ts'
import { Debuggee, type State } from '../debugging/console/debuggee.ts'
import { readText } from '../debugging/console/source-text.ts'
import { openKernelDebugger } from '../debugging/kernel-debugger.ts'
import { EXIT } from '../exit-codes.ts'
import { HistoryFile } from '../repl/history-file.ts'
import { Prompt } from '../repl/prompt.ts'
import { type Language, languageOfFile, languageOption } from '../session/languages.ts'
import { readScriptFile } from '../session/script-file.ts'
import { traceTopics } from '../session/trace.ts'

export async function run(context: Context): Promise<number> {
  const what = flag(context, 'attach') ? attachment(context) : launch(context)
  const commands = commandFile(context)
  return new DebugProgram(context, what).run(commands)
}

/** What is debugged, as the debug session is asked for it. */
interface Debugged {
  request: 'launch' | 'attach'
  args: Record<string, unknown>
  program?: string
  language?: Language
}

/** The file is read before a kernel is looked for, so that a mistyped name starts none. */
function launch(context: Context): Debugged {
  const [file, ...args] = context.invocation.positionals
  if (file === undefined)
    throw new LlmspellError('debug needs FILE, or --attach', {
      code: 'usage.missing_argument',
      hint: '`llmspell debug FILE` runs a script; `llmspell debug --attach` joins what runs in the kernel.',
    })
  const program = resolve(context.cwd, file)
  readScriptFile(program)
  const language = languageOption(context) ?? languageOfFile(program)
  return { request: 'launch', args: { program, args, cwd: context.cwd, language, ...recording(context) }, program, language }
}

function attachment(context: Context): Debugged {
  const [run, more] = context.invocation.positionals
  if (more !== undefined) throw new LlmspellError(`with --attach, debug does not take "${more}"`, { code: 'usage.unexpected_argument' })
  if (run === undefined) return { request: 'attach', args: recording(context) }
  // A file is meant, or an execution, as `kernel status` lists them.
  const path = resolve(context.cwd, run)
  if (readText(path) === undefined) return { request: 'attach', args: { run, ...recording(context) } }
  return { request: 'attach', args: { run: path, ...recording(context) }, program: path, language: languageOfFile(path) }
}

function recording(context: Context): Record<string, unknown> {
  return flag(context, 'record') ? { recordHistory: true } : {}
}

function commandFile(context: Context): string[] {
  const file = option(context, 'command')
  if (file === undefined) return []
  try {
    return readFileSync(resolve(context.cwd, file), 'utf8').split('\n')
  } catch (cause) {
    throw new LlmspellError(`cannot read ${file}: ${messageOf(cause)}`, { code: 'usage.bad_option', cause })
  }
}

class DebugProgram {
  readonly #context: Context
  readonly #what: Debugged
  readonly #debuggee: Debuggee
  readonly #console: DebugConsole
  /** While something is typed: what is written goes above it. */
  #prompt: Prompt | undefined
  /** The line that an empty one does again. */
  #last = ''
  #failed = false
  /** The debugging ended, but not the script. */
  #lost = false
  #interrupts = 0

  constructor(context: Context, what: Debugged) {
    this.#context = context
    this.#what = what
    const { terminal } = context
    const book = new BreakpointBook()
    const traced = traceEnabled('dap', traceTopics(context))
    this.#debuggee = new Debuggee({
      book,
      open: () => openKernelDebugger(context, option(context, 'connect')),
      onOutput: (output) => this.#console.scriptOutput(output),
      onOtherStop: ({ threadId, reason }) =>
        this.#console.say(`thread ${threadId} has stopped, too (${reason}); \`thread ${threadId}\` looks at it`),
      // While a command waits, it tells by itself.
      onChange: (state) => {
        if (this.#prompt && (state.type === 'stopped' || state.type === 'ended')) this.#tellAside(state)
      },
      trace: (line) => {
        if (traced) terminal.note(`${new Date().toISOString()} ${line}\n`)
      },
    })
    this.#console = new DebugConsole({
      context,
      debuggee: this.#debuggee,
      book,
      start: (freely) => this.#debuggee.start(what.request, what.request === 'launch' ? { ...what.args, stopOnEntry: !freely } : what.args),
      ...(what.program !== undefined && { program: what.program }),
      ...(what.language !== undefined && { language: what.language }),
      write: (text) => (this.#prompt ? this.#prompt.print(text) : terminal.out(text)),
    })
  }

  async run(commands: readonly string[]): Promise<number> {
    const { terminal } = this.#context
    const launched = this.#what.request === 'launch'
    const handlers = this.#signals(launched)
    try {
      await this.#console.start(false)
      if (launched) await this.#console.tell(await this.#debuggee.settled())
      else this.#console.say('attached; `break` sets breakpoints, `continue` waits for one, `pause` stops what runs')
      this.#console.fresh = launched
      const quit = (await this.#through(commands)) || (this.#interactive ? await this.#converse() : await this.#readThrough())
      if (quit && this.#debuggee.state.type === 'stopped' && launched && terminal.stdout.isTTY) this.#console.say('the script is ended')
    } finally {
      const { state } = this.#debuggee
      this.#lost = state.type === 'ended' && state.reason !== undefined
      for (const [signal, handler] of Object.entries(handlers)) process.off(signal, handler)
      await this.#debuggee.leave(launched)
    }
    if (this.#lost) return EXIT.kernelDied
    if (launched && this.#debuggee.exitCode !== undefined) return this.#debuggee.exitCode & 0xff
    return this.#failed && !this.#interactive ? EXIT.failed : EXIT.ok
  }

  get #interactive(): boolean {
    const { stdin, stdout } = this.#context.terminal
    return stdin.isTTY && stdout.isTTY
  }

  /** Lines of a file: true when one of them was `quit`. */
  async #through(lines: readonly string[]): Promise<boolean> {
    for (const line of lines) if (await this.#execute(line)) return true
    return false
  }

  /** From a pipe: the same without prompts. The exit code tells whether a command failed, unless the script has its own. */
  async #readThrough(): Promise<boolean> {
    const { terminal } = this.#context
    for await (const line of createInterface({ input: terminal.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (terminal.readerGone.aborted || (await this.#execute(line))) return true
    }
    return true
  }

  async #converse(): Promise<boolean> {
    const { terminal, paths, version } = this.#context
    const history = new HistoryFile(paths.debugHistory, (error) =>
      terminal.note(`llmspell: commands are not remembered: ${messageOf(error)}\n`),
    )
    terminal.out(`llmspell ${version}. help lists the commands, quit leaves.\n`)
    for (;;) {
      const prompt = new Prompt({
        terminal,
        history: history.entries,
        label: '(debug) ',
        quit: 'quit',
        highlight: (text) => text,
        isComplete: () => Promise.resolve({ complete: true }),
        complete: (text, cursor) => complete(this.#console, text, cursor),
      })
      this.#prompt = prompt
      const result = await prompt.read()
      this.#prompt = undefined
      if (result.type === 'end') return true
      history.add(result.text)
      if (await this.#execute(result.text)) return true
    }
  }

  /** One line; true means to quit. Errors are told and it goes on. */
  async #execute(line: string): Promise<boolean> {
    const text = line.trim() === '' ? this.#last : line.trim()
    if (text === '' || text.startsWith('#')) return false
    this.#interrupts = 0
    try {
      const { command, argument } = parseCommand(debugCommands, text)
      this.#last = command.repeats ? (command.name === 'list' ? 'list' : text) : ''
      return (await command.run(this.#console, argument)) === 'quit'
    } catch (error) {
      this.#failed = true
      const { terminal } = this.#context
      terminal.note(`llmspell: ${messageOf(error)}\n`)
      if (LlmspellError.is(error) && error.hint !== undefined) terminal.note(`  ${error.hint}\n`)
      return false
    }
  }

  /** Above the prompt. What cannot be asked any more, because the kernel is gone, is told by its end. */
  #tellAside(state: State): void {
    this.#console.tell(state).catch((error: unknown) => this.#console.say(messageOf(error)))
  }

  /** Ctrl-C stops what runs; the second time in a row it gives the prompt back. */
  #signals(launched: boolean): Record<string, () => void> {
    const end = (): void => {
      void this.#debuggee.leave(launched).finally(() => process.exit(EXIT.terminated))
    }
    const handlers = {
      SIGINT: () => {
        if (this.#debuggee.state.type !== 'running') return
        if (++this.#interrupts > 1) this.#debuggee.giveUpWaiting()
        else this.#debuggee.pause().catch((error: unknown) => this.#console.say(`it cannot be stopped: ${messageOf(error)}`))
      },
      SIGTERM: end,
      SIGHUP: end,
    }
    for (const [signal, handler] of Object.entries(handlers)) process.on(signal, handler)
    return handlers
  }
}
