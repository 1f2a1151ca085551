import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Home, llmspellBin, run } from '@llmspell/testkit'

/** What is done in an editor; the driver of the editor plays it. */
export interface Scenario {
  source: string
  adapter: readonly string[]
  configuration: Record<string, unknown>
  breakpoints: readonly { line: number; condition?: string; hitCondition?: string; logMessage?: string }[]
  stops: readonly {
    line: number
    /** What the editor's list of variables has to show. */
    variables?: Readonly<Record<string, string>>
    /** What is typed into its REPL, and what the answer begins with. */
    evaluate?: Readonly<Record<string, string>>
    go: 'next' | 'stepIn' | 'stepOut' | 'continue' | 'disconnect'
  }[]
}

/** What was to be seen on the screen. `true` for a wish that came true, otherwise what was there instead. */
export interface Report {
  stops: { line: number; reason: string; function: string; variables: Record<string, unknown>; evaluate: Record<string, unknown> }[]
  output: string
  ended: boolean
  failure: string | null
}

const PLAY_MS = 120_000

/** Plays the scenario with an editor's command line and gives what the driver reports. */
export async function play(home: Home, command: readonly string[], scenario: Scenario, env: NodeJS.ProcessEnv = {}): Promise<Report> {
  const file = join(home.dir, 'scenario.json')
  writeFileSync(file, JSON.stringify(scenario))
  const [program = '', ...args] = command
  const played = await run(program, args, { cwd: home.dir, env: { ...home.env, ...env, SCENARIO: file }, timeout: PLAY_MS })
  const report = /^REPORT (\{.*\})$/m.exec(played.stdout)?.[1]
  if (report === undefined) throw new Error(`${command.join(' ')} reported nothing\n${played.stdout}\n${played.stderr}`)
  return JSON.parse(report) as Report
}

/** As an editor's configuration names it. */
export const adapter: readonly string[] = [process.execPath, llmspellBin(), 'dap']
