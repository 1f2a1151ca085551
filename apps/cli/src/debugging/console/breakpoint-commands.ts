import { nearest } from '@llmspell/base'
import type { Entry } from './breakpoint-book.ts'
import { badArgument, type DebugCommand, notSupported } from './command.ts'
import type { DebugConsole } from './console.ts'

const group = 'Breakpoints'

async function set(console: DebugConsole, argument: string, temporary: boolean): Promise<void> {
  const { book } = console
  if (/(^|\s)if\s*$/.test(argument)) throw badArgument('what is the condition?', 'break [FILE:]LINE if COND')
  const [, where = '', condition] = /^(.*?)(?:(?:^|\s+)if\s+(.+))?$/s.exec(argument) ?? []
  const more = { temporary, ...(condition !== undefined && { condition: condition.trim() }) }
  const place = where === '' ? { file: console.currentFile(), line: console.debuggee.frame.line } : await console.place(where)
  const entry = place ? book.addLine(place.file, place.line, more) : book.addFunction(functionName(console, where), more)
  await add(console, entry)
}

function functionName({ debuggee }: DebugConsole, text: string): string {
  if (!/^[\p{L}_$][\p{L}\p{N}_$.:]*$/u.test(text))
    throw badArgument(`"${text}" is neither a line nor a function`, 'break [FILE:]LINE [if COND]')
  if (debuggee.state.type !== 'idle' && !debuggee.capabilities.supportsFunctionBreakpoints)
    throw notSupported('breakpoints on functions cannot be set here')
  return text
}

/** A breakpoint that the session refuses is none. */
async function add(console: DebugConsole, entry: Entry): Promise<void> {
  try {
    await console.sync(entry)
  } catch (error) {
    console.book.remove(entry)
    throw error
  }
  console.say(describe(console, entry))
}

export function describe(console: DebugConsole, entry: Entry): string {
  const { bound } = entry
  const where =
    entry.kind === 'line'
      ? `${console.path(entry.file)}:${bound?.verified ? (bound.line ?? entry.line) : entry.line}`
      : `function ${entry.name}`
  const notes = [
    entry.temporary && 'once',
    !entry.enabled && 'disabled',
    entry.condition !== undefined && `if ${entry.condition}`,
    entry.hitCondition !== undefined && `hit ${entry.hitCondition}`,
    entry.kind === 'line' && entry.logMessage !== undefined && `logs "${entry.logMessage}"`,
    entry.enabled && bound?.verified === false && (bound.message ?? 'not bound yet'),
  ].filter((note) => note !== false)
  const what = entry.kind === 'line' && entry.logMessage !== undefined ? 'logpoint' : 'breakpoint'
  return `${what} ${entry.number}, ${where}${notes.length > 0 ? `, ${notes.join(', ')}` : ''}`
}

function numbered({ book }: DebugConsole, text: string): Entry {
  const entry = /^\d+$/.test(text) ? book.get(Number(text)) : undefined
  if (entry) return entry
  const numbers = book.entries.map(({ number }) => number)
  throw badArgument(
    text === '' ? 'which breakpoint?' : `there is no breakpoint ${text}`,
    numbers.length > 0 ? `There are ${numbers.join(', ')}.` : 'There are none.',
  )
}

/** Several numbers, or all of them. */
function chosen(console: DebugConsole, argument: string): Entry[] {
  if (argument === '') return console.book.entries
  return argument.split(/[\s,]+/).map((text) => numbered(console, text))
}

async function change(console: DebugConsole, entries: readonly Entry[], alter: (entry: Entry) => void): Promise<void> {
  for (const entry of entries) {
    const before = { ...entry }
    alter(entry)
    try {
      await console.sync(entry)
    } catch (error) {
      for (const key of Object.keys(entry)) delete (entry as unknown as Record<string, unknown>)[key]
      Object.assign(entry, before)
      throw error
    }
  }
}

/** `hit 2 >= 5`, `hit 2 % 3`, `hit 2 5`; nothing takes it away. */
async function setHit(console: DebugConsole, number: string, condition: string): Promise<void> {
  if (condition !== '' && !/^(==|>=|<=|>|<|%)?\s*\d+$/.test(condition))
    throw badArgument(`"${condition}" is no count of hits`, 'hit N == 5, N >= 5, N % 5')
  const entry = numbered(console, number)
  await change(console, [entry], (it) => {
    if (condition === '') delete it.hitCondition
    else it.hitCondition = condition
  })
  console.say(describe(console, entry))
}

export const breakpointCommands: readonly DebugCommand[] = [
  {
    name: 'break',
    short: ['b', 'br'],
    group,
    usage: 'break [FILE:]LINE|FUNCTION [if COND]',
    describe: 'Stop there; without a place, at the present line.',
    complete: 'file',
    run: (console, argument) => set(console, argument, false),
  },
  {
    name: 'tbreak',
    short: ['tb'],
    group,
    usage: 'tbreak [FILE:]LINE|FUNCTION [if COND]',
    describe: 'The same, once.',
    complete: 'file',
    run: (console, argument) => set(console, argument, true),
  },
  {
    name: 'logpoint',
    short: ['lp'],
    group,
    usage: 'logpoint [FILE:]LINE TEXT',
    describe: 'Print TEXT there and go on; {EXPR} in it is evaluated.',
    complete: 'file',
    async run(console, argument) {
      const [, where = '', logMessage = ''] = /^(\S+)\s+(.+)$/s.exec(argument) ?? []
      const place = await console.place(where)
      if (!place) throw badArgument('logpoint needs a line and a text: logpoint [FILE:]LINE TEXT')
      await add(console, console.book.addLine(place.file, place.line, { logMessage }))
    },
  },
  {
    name: 'condition',
    short: ['cond'],
    group,
    usage: 'condition N [EXPR]',
    describe: 'Stop at breakpoint N only when EXPR is true; without it, always.',
    async run(console, argument) {
      const [, number = '', condition = ''] = /^(\S*)\s*(.*)$/s.exec(argument) ?? []
      const entry = numbered(console, number)
      await change(console, [entry], (it) => {
        if (condition === '') delete it.condition
        else it.condition = condition
      })
      console.say(describe(console, entry))
    },
  },
  {
    name: 'hit',
    group,
    usage: 'hit N [CONDITION]',
    describe: 'Count the hits of breakpoint N: 5 or == 5, >= 5, % 5.',
    run(console, argument) {
      const [, number = '', condition = ''] = /^(\S*)\s*(.*)$/.exec(argument) ?? []
      return setHit(console, number, condition)
    },
  },
  {
    name: 'ignore',
    group,
    usage: 'ignore N COUNT',
    describe: 'Pass over the next COUNT hits of breakpoint N.',
    run(console, argument) {
      const [, number = '', count = ''] = /^(\S*)\s*(.*)$/.exec(argument) ?? []
      if (!/^\d+$/.test(count)) throw badArgument('ignore needs a breakpoint and a count: ignore N COUNT')
      return setHit(console, number, count === '0' ? '' : `> ${count}`)
    },
  },
  {
    name: 'delete',
    short: ['d', 'del'],
    group,
    usage: 'delete [N…]',
    describe: 'Remove breakpoints; without a number, all.',
    async run(console, argument) {
      for (const entry of chosen(console, argument)) {
        console.book.remove(entry)
        await console.sync(entry)
      }
    },
  },
  ...(['enable', 'disable'] as const).map(
    (name): DebugCommand => ({
      name,
      group,
      usage: `${name} [N…]`,
      describe: name === 'enable' ? 'Make disabled breakpoints work again.' : 'Keep breakpoints, but do not stop there.',
      run: (console, argument) =>
        change(console, chosen(console, argument), (entry) => {
          entry.enabled = name === 'enable'
        }),
    }),
  ),
  {
    name: 'breakpoints',
    short: ['bl'],
    group,
    usage: 'breakpoints',
    describe: 'List them; also `info breakpoints`.',
    async run(console) {
      const { entries } = console.book
      console.say(entries.length === 0 ? 'no breakpoints' : entries.map((entry) => describe(console, entry)).join('\n'))
    },
  },
  {
    name: 'exceptions',
    short: ['catch'],
    group,
    usage: 'exceptions [on|off|FILTER…]',
    describe: 'Stop at errors: on (those that nothing catches), off, or the filters named; without a word, list them.',
    complete: ['on', 'off', 'caught', 'uncaught'],
    async run(console, argument) {
      const { debuggee } = console
      const known = debuggee.capabilities.exceptionBreakpointFilters ?? []
      const names = known.map(({ filter }) => filter)
      if (argument !== '') {
        const words = argument.split(/[\s,]+/)
        for (const word of words)
          if (!['on', 'off', 'all', ...names].includes(word)) {
            const near = nearest(word, ['on', 'off', 'all', ...names])
            throw badArgument(
              `"${word}" is no filter of exceptions`,
              near ? `Did you mean "${near}"?` : `There are ${names.join(', ')}, on, off and all.`,
            )
          }
        const filters = words.flatMap((word) => (word === 'off' ? [] : word === 'all' ? names : word === 'on' ? ['uncaught'] : [word]))
        await debuggee.setFilters([...new Set(filters)])
      }
      const set = debuggee.filters ?? []
      console.say(
        known.length === 0
          ? `exceptions: ${set.join(', ') || 'off'}`
          : known.map(({ filter, label }) => `${set.includes(filter) ? '*' : ' '} ${filter.padEnd(10)} ${label}`).join('\n'),
      )
    },
  },
]
