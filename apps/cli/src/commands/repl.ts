import { createInterface } from 'node:readline'
import { messageOf } from '@llmspell/base'
import { type Context, flag } from '../context.ts'
import { EXIT } from '../exit-codes.ts'
import { bundleText } from '../render/bundle-text.ts'
import { errorText } from '../render/text-sink.ts'
import { completeCommand, isCommand, runCommand } from '../repl/commands.ts'
import { highlight } from '../repl/highlight.ts'
import { HistoryFile } from '../repl/history-file.ts'
import { Prompt } from '../repl/prompt.ts'
import { ReplSession } from '../repl/session.ts'
import { noInput } from '../session/input.ts'

export async function run(context: Context): Promise<number> {
  const { terminal } = context
  const session = await ReplSession.open(context)
  try {
    const interactive = terminal.stdin.isTTY && terminal.stdout.isTTY && !flag(context, 'json')
    return interactive ? await converse(session) : await readThrough(session)
  } finally {
    await session.close()
  }
}

const LABELS = { lua: 'lua> ', javascript: 'js> ', typescript: 'ts> ' } as const

/** At a terminal. */
async function converse(session: ReplSession): Promise<number> {
  const { terminal, paths, version } = session.context
  const history = new HistoryFile(paths.replHistory, (error) => terminal.note(`llmspell: inputs are not remembered: ${messageOf(error)}\n`))
  const { record } = session
  terminal.out(`llmspell ${version}${record ? `, kernel "${record.id}"` : ''}. :help for help, :quit to leave.\n`)
  for (;;) {
    const prompt = new Prompt({
      terminal,
      history: history.entries,
      label: LABELS[session.language],
      quit: ':quit',
      highlight: (text) => (isCommand(text) ? text : highlight(text, session.language)),
      isComplete: async (text) => (isCommand(text) || text.trim() === '' ? { complete: true } : session.isComplete(text)),
      complete: async (text, cursor) =>
        isCommand(text) && !text.includes(' ')
          ? { matches: completeCommand(text), start: 0, end: text.length }
          : session.complete(text, cursor),
    })
    session.onLateOutput = (output) => {
      const text = lateText(output, terminal)
      if (text) prompt.print(text)
    }
    const result = await prompt.read()
    session.onLateOutput = undefined
    if (result.type === 'end') return EXIT.ok
    const text = result.text
    if (text.trim() === '') continue
    history.add(text)
    let quit = false
    await session.attempt(async () => {
      if (isCommand(text)) quit = (await runCommand(session, text, undefined)) === 'quit'
      else if ((await session.run(text, undefined)).status === 'detached') quit = true
    })
    if (quit) return EXIT.ok
  }
}

/** From a pipe: the same without prompts; what is incomplete takes the next line. The exit code tells whether anything failed. */
async function readThrough(session: ReplSession): Promise<number> {
  const { terminal } = session.context
  session.onLateOutput = (output) => {
    const text = lateText(output, terminal)
    if (text) terminal.out(text)
  }
  let pending = ''
  const submit = async (): Promise<boolean> => {
    const text = pending
    pending = ''
    if (text.trim() === '') return true
    let goOn = true
    await session.attempt(async () => {
      // stdin holds the inputs, so scripts cannot read lines from it.
      if (isCommand(text)) goOn = (await runCommand(session, text, noInput)) === 'go-on'
      else goOn = (await session.run(text, noInput)).status !== 'detached'
    })
    return goOn
  }
  for await (const line of createInterface({ input: terminal.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    pending = pending === '' ? line : `${pending}\n${line}`
    const whole = isCommand(pending) || (await session.isComplete(pending)).complete
    if (whole && !(await submit())) return session.failed ? EXIT.failed : EXIT.ok
  }
  await submit()
  return session.failed ? EXIT.failed : EXIT.ok
}

function lateText(output: Parameters<NonNullable<ReplSession['onLateOutput']>>[0], terminal: Context['terminal']): string | undefined {
  switch (output.type) {
    case 'stream':
      return output.text
    case 'error':
      return errorText(output, terminal.colors('stdout'))
    case 'display_data':
    case 'update_display_data':
    case 'execute_result':
      return bundleText(output.data, terminal)
    case 'clear_output':
      return undefined
  }
}
