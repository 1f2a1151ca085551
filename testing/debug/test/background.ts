import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { withTimeout } from '@llmspell/base'
import { type Home, llmspellBin, until } from '@llmspell/testkit'
import { WAIT } from './editor.ts'

/** A `llmspell` command that runs meanwhile. */
export interface Background {
  readonly child: ChildProcess
  printed(): string
  /** Until it has printed this. */
  prints(text: string): Promise<void>
  ended(): Promise<number | null>
}

export function background(home: Home, args: readonly string[]): Background {
  const child = spawn(process.execPath, [llmspellBin(), ...args], { cwd: home.dir, env: home.env, stdio: ['ignore', 'pipe', 'pipe'] })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (printed += text))
  const exited = once(child, 'close').then(([code]) => code as number | null)
  const during = (error: Error): never => {
    throw new Error(`${error.message}\nllmspell ${args.join(' ')} printed:\n${printed.slice(-3000)}`, { cause: error })
  }
  return {
    child,
    printed: () => printed,
    prints: async (text) => void (await until(`output ${JSON.stringify(text)}`, () => printed.includes(text), WAIT).catch(during)),
    ended: () => withTimeout(exited, WAIT, `llmspell ${args.join(' ')} to end`).catch(during),
  }
}
