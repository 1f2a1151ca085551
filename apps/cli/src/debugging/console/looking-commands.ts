import { badArgument, type DebugCommand } from './command.ts'
import type { DebugConsole } from './console.ts'
import { sourceText } from './source-text.ts'
import { isGlobal, scopes, showVariables } from './variables.ts'

const group = 'Looking'
/** Lines that `list` shows. */
const LINES = 11
const FRAMES_SHOWN = 50

async function selectFrame(console: DebugConsole, at: number): Promise<void> {
  const { debuggee } = console
  const { stop } = debuggee
  if (at < 0) throw badArgument('this is the innermost frame')
  const { frames } = await debuggee.allFrames(at + 1)
  const frame = frames[at]
  if (!frame) throw badArgument(at === stop.at + 1 ? 'this is the outermost frame' : `there is no frame ${at}`)
  stop.at = at
  console.listed = undefined
  console.say(`#${at} ${console.placeOf(frame)}`)
  await console.showLine(frame)
}

function count(argument: string, what: string): number {
  if (argument === '') return 1
  if (/^\d+$/.test(argument)) return Number(argument)
  throw badArgument(`"${argument}" is no ${what}`)
}

async function list(console: DebugConsole, argument: string): Promise<void> {
  const { debuggee } = console
  const frame = debuggee.state.type === 'stopped' ? debuggee.frame : undefined
  const place = argument === '' || argument === '.' ? undefined : await console.place(argument)
  if (argument !== '' && argument !== '.' && !place)
    throw badArgument(`"${argument}" is no line`, 'list, list LINE, list FILE:LINE, or list . for where it stands')
  const goesOn = argument === '' ? console.listed : undefined
  const path = place?.file ?? goesOn?.path ?? frame?.source?.path ?? console.currentFile()
  const source = path === frame?.source?.path ? frame?.source : { path }
  const text = await sourceText(debuggee, source)
  if (text === undefined) throw badArgument(`the text of ${console.path(path)} is not known`)
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  const middle = place?.line ?? frame?.line ?? 1
  const first = goesOn?.next ?? Math.max(1, middle - 5)
  if (first > lines.length) throw badArgument('there are no more lines', '`list .` goes back to where it stands.')
  const last = Math.min(lines.length, first + LINES - 1)
  console.listed = { path, next: last + 1 }
  console.say(numberedLines(console, path, lines.slice(first - 1, last), first))
}

function numberedLines(console: DebugConsole, path: string, lines: readonly string[], first: number): string {
  const { debuggee, book } = console
  const here = debuggee.state.type === 'stopped' && debuggee.frame.source?.path === path ? debuggee.frame.line : undefined
  const marked = new Set(book.enabledIn(path).map((entry) => entry.bound?.line ?? entry.line))
  const width = String(first + lines.length - 1).length
  const painted = console.code(lines.join('\n')).split('\n')
  return painted
    .map((line, index) => {
      const number = first + index
      const mark = `${marked.has(number) ? console.paint('●', '31') : ' '}${number === here ? '>' : ' '}`
      return `${mark} ${String(number).padStart(width)} | ${line}`.trimEnd()
    })
    .join('\n')
}

async function print(console: DebugConsole, argument: string): Promise<void> {
  const [, levels, expression = ''] = /^(?:\/(\d+)\s*)?(.*)$/s.exec(argument) ?? []
  if (expression === '') throw badArgument('print needs an expression: print [/LEVELS] EXPR')
  const value = await console.evaluate(expression, 'repl')
  console.say(console.code(value.result))
  const depth = levels === undefined ? 1 : Number(levels)
  if (value.variablesReference > 0 && depth > 0)
    await showVariables(console, value.variablesReference, { indent: '  ', depth: depth - 1, of: value })
}

async function assign(console: DebugConsole, argument: string): Promise<void> {
  const [, target = '', value = ''] = /^(.+?)\s*(?<![=<>~!])=(?!=)\s*(.+)$/s.exec(argument) ?? []
  if (target === '') throw badArgument('set needs a variable and a value: set VAR = EXPR')
  const { client, capabilities, frame } = console.debuggee
  const holder = capabilities.supportsSetVariable ? await holderOf(console, target) : undefined
  if (holder !== undefined) {
    const { value: now } = await client.request('setVariable', { variablesReference: holder, name: target, value })
    console.say(`${target} = ${now}`)
  } else if (capabilities.supportsSetExpression) {
    const { value: now } = await client.request('setExpression', { expression: target, value, frameId: frame.id })
    console.say(`${target} = ${now}`)
  } else throw badArgument(`there is no variable ${target} in this frame`)
}

/** The innermost scope that has a variable of this name. */
async function holderOf(console: DebugConsole, name: string): Promise<number | undefined> {
  if (!/^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(name)) return undefined
  for (const { variablesReference } of await scopes(console)) {
    const { variables } = await console.debuggee.client.request('variables', { variablesReference })
    if (variables.some((variable) => variable.name === name)) return variablesReference
  }
  return undefined
}

const display: DebugCommand = {
  name: 'display',
  short: ['watch', 'disp'],
  group,
  usage: 'display [EXPR]',
  describe: 'Show EXPR at every stop; without it, now. Also `watch`.',
  complete: 'expression',
  async run(console, argument) {
    if (argument !== '') {
      console.displays.set(Math.max(0, ...console.displays.keys()) + 1, argument)
    } else if (console.displays.size === 0) {
      console.say('nothing is displayed')
      return
    }
    if (console.debuggee.state.type === 'stopped') await console.showDisplays()
  },
}

export const lookingCommands: readonly DebugCommand[] = [
  {
    name: 'print',
    short: ['p', 'eval'],
    group,
    usage: 'print [/LEVELS] EXPR',
    describe: 'Evaluate EXPR in the frame and show what is inside, one level or LEVELS deep.',
    complete: 'expression',
    run: print,
  },
  {
    name: 'set',
    group,
    usage: 'set VAR = EXPR',
    describe: 'Change a variable, or what an expression names.',
    complete: 'expression',
    run: assign,
  },
  display,
  {
    name: 'undisplay',
    short: ['unwatch'],
    group,
    usage: 'undisplay [N]',
    describe: 'Show it no more; without a number, none.',
    async run({ displays }, argument) {
      if (argument === '') displays.clear()
      else if (!displays.delete(Number(argument))) throw badArgument(`there is no display ${argument}`)
    },
  },
  {
    name: 'locals',
    short: ['lo'],
    group,
    usage: 'locals',
    describe: 'The variables of the frame.',
    async run(console) {
      let shown = 0
      for (const scope of await scopes(console))
        if (!isGlobal(scope) && !scope.expensive) shown += await showVariables(console, scope.variablesReference)
      if (shown === 0) console.say('no locals')
    },
  },
  {
    name: 'globals',
    short: ['gl'],
    group,
    usage: 'globals',
    describe: 'The global variables.',
    async run(console) {
      for (const scope of await scopes(console)) if (isGlobal(scope)) await showVariables(console, scope.variablesReference)
    },
  },
  {
    name: 'backtrace',
    short: ['bt', 'where', 'w'],
    group,
    usage: 'backtrace [N]',
    describe: `The calls that led here, innermost first; N of them (${FRAMES_SHOWN}).`,
    async run(console, argument) {
      const { debuggee } = console
      const { at } = debuggee.stop
      const { frames, more } = await debuggee.allFrames(argument === '' ? FRAMES_SHOWN : count(argument, 'number of frames'))
      const rows = frames.map((frame, index) =>
        frame.presentationHint === 'label' ? `   ${frame.name}` : `${index === at ? '>' : ' '} #${index} ${console.placeOf(frame)}`,
      )
      console.say([...rows, ...(more ? ['  … `backtrace N` shows more'] : [])].join('\n'))
    },
  },
  {
    name: 'frame',
    short: ['f'],
    group,
    usage: 'frame [N]',
    describe: 'Look at frame N of the backtrace; without it, say which one is looked at.',
    async run(console, argument) {
      await selectFrame(console, argument === '' ? console.debuggee.stop.at : count(argument, 'frame'))
    },
  },
  {
    name: 'up',
    group,
    usage: 'up [N]',
    describe: 'Look at the caller.',
    repeats: true,
    run: (console, argument) => selectFrame(console, console.debuggee.stop.at + count(argument, 'number of frames')),
  },
  {
    name: 'down',
    short: ['dow'],
    group,
    usage: 'down [N]',
    describe: 'Look at what was called.',
    repeats: true,
    run: (console, argument) => selectFrame(console, console.debuggee.stop.at - count(argument, 'number of frames')),
  },
  {
    name: 'list',
    short: ['l'],
    group,
    usage: 'list [[FILE:]LINE|.]',
    describe: 'Show the source around a line; again: what follows; ".": where it stands.',
    repeats: true,
    complete: 'file',
    run: list,
  },
  {
    name: 'threads',
    group,
    usage: 'threads',
    describe: 'The script and its coroutines.',
    async run(console) {
      const { debuggee } = console
      const at = debuggee.state.type === 'stopped' ? debuggee.stop.threadId : undefined
      const threads = await debuggee.threads()
      console.say(threads.map(({ id, name }) => `${id === at ? '>' : ' '} ${id} ${name}`).join('\n'))
    },
  },
  {
    name: 'thread',
    group,
    usage: 'thread N',
    describe: 'Look at another one.',
    async run(console, argument) {
      if (!/^\d+$/.test(argument)) throw badArgument('thread needs a number: thread N')
      const { frames } = await console.debuggee.look(Number(argument))
      console.listed = undefined
      const [top] = frames
      if (!top) return console.say('it has no frames')
      console.say(console.placeOf(top))
      await console.showLine(top)
    },
  },
]
