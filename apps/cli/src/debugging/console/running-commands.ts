import { badArgument, type DebugCommand, notSupported } from './command.ts'
import type { DebugConsole } from './console.ts'
import type { Resume } from './debuggee.ts'

const group = 'Running'

/** `N` times, as long as nothing else stops it. */
async function step(console: DebugConsole, resume: Resume, argument: string): Promise<void> {
  const times = argument === '' ? 1 : Number(argument)
  if (!Number.isSafeInteger(times) || times < 1) throw badArgument(`"${argument}" is no number of steps`)
  const { debuggee } = console
  void debuggee.stop
  await console.run(async () => {
    for (let done = 1; ; done++) {
      const state = await debuggee.go(resume)
      if (done === times || state.type !== 'stopped' || state.stop.reason !== 'step') return state
    }
  })
}

async function back(console: DebugConsole, resume: 'stepBack' | 'reverseContinue', argument: string): Promise<void> {
  if (!console.debuggee.capabilities.supportsStepBack)
    throw notSupported('there is no history to go back in', 'Start with `llmspell debug --record FILE`; Lua only.')
  await step(console, resume, argument)
}

export const runningCommands: readonly DebugCommand[] = [
  {
    name: 'run',
    short: ['r', 'restart'],
    group,
    usage: 'run',
    describe: 'Start the script, or start it again; breakpoints stay.',
    async run(console) {
      const { debuggee } = console
      // Nothing has happened yet: there is nothing to begin again.
      if (console.fresh && debuggee.state.type === 'stopped') return console.run(() => debuggee.go('continue'))
      await console.run(async () => {
        await console.start(true)
        return debuggee.settled()
      })
    },
  },
  {
    name: 'start',
    group,
    usage: 'start',
    describe: 'Start the script (again) and stop before its first line.',
    async run(console) {
      await console.start(false)
      const state = await console.debuggee.settled()
      console.fresh = true
      await console.tell(state)
    },
  },
  {
    name: 'continue',
    short: ['c', 'cont'],
    group,
    usage: 'continue',
    describe: 'Go on to the next breakpoint or the end.',
    repeats: true,
    async run(console) {
      const { debuggee } = console
      await console.run(() => (debuggee.state.type === 'running' ? debuggee.settled() : debuggee.go('continue')))
    },
  },
  {
    name: 'next',
    short: ['n'],
    group,
    usage: 'next [N]',
    describe: 'Go to the next line, over calls; N times.',
    repeats: true,
    run: (console, argument) => step(console, 'next', argument),
  },
  {
    name: 'step',
    short: ['s'],
    group,
    usage: 'step [N]',
    describe: 'Go to the next line, into calls; N times.',
    repeats: true,
    run: (console, argument) => step(console, 'stepIn', argument),
  },
  {
    name: 'finish',
    short: ['fin', 'out'],
    group,
    usage: 'finish',
    describe: 'Go on until this function returns.',
    repeats: true,
    run: (console) => step(console, 'stepOut', ''),
  },
  {
    name: 'until',
    short: ['u', 'advance'],
    group,
    usage: 'until [FILE:]LINE',
    describe: 'Go on to that line, once.',
    async run(console, argument) {
      const place = await console.place(argument)
      if (!place) throw badArgument('until needs a line: until [FILE:]LINE')
      void console.debuggee.stop
      const entry = console.book.addLine(place.file, place.line, { temporary: true })
      await console.sync(entry)
      try {
        await console.run(() => console.debuggee.go('continue'))
      } finally {
        // Something else may have stopped it before.
        if (console.book.get(entry.number)) {
          console.book.remove(entry)
          await console.sync(entry)
        }
      }
    },
  },
  {
    name: 'back',
    group,
    usage: 'back [N]',
    describe: 'Go back to the line before (with --record).',
    repeats: true,
    run: (console, argument) => back(console, 'stepBack', argument),
  },
  {
    name: 'reverse-continue',
    short: ['rc'],
    group,
    usage: 'reverse-continue',
    describe: 'Go back to the breakpoint before, or to where the history begins (with --record).',
    repeats: true,
    run: (console) => back(console, 'reverseContinue', ''),
  },
  {
    name: 'pause',
    short: ['interrupt'],
    group,
    usage: 'pause [THREAD]',
    describe: 'Stop a script that runs; Ctrl-C does the same.',
    async run(console, argument) {
      const { debuggee } = console
      if (argument !== '' && !/^\d+$/.test(argument)) throw badArgument('pause takes the number of a thread: pause [THREAD]')
      if (debuggee.state.type === 'stopped' && argument === '') throw badArgument('it is stopped already')
      await debuggee.pause(argument === '' ? undefined : Number(argument))
      await console.tell(await debuggee.settled())
    },
  },
]
