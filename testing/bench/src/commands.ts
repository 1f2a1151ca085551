import { spawnSync } from 'node:child_process'
import { createHome, llmspellBin } from '@llmspell/testkit'
import { number, table } from './markdown.ts'
import { median } from './median.ts'

/** What the command line costs over starting Node at all. A kernel runs; only the command is measured. */
export async function measureCommands(options: { rounds: number }): Promise<string> {
  const home = createHome()
  const llmspell = llmspellBin()
  const subjects: { name: string; argv: string[]; aim?: number }[] = [
    { name: 'node -e 0', argv: ['-e', '0'] },
    { name: 'llmspell --help', argv: [llmspell, '--help'] },
    { name: 'llmspell exec, Lua, warm', argv: [llmspell, 'exec', '--lang', 'lua', '1 + 1'], aim: 2.5 },
    { name: 'llmspell exec, JavaScript, warm', argv: [llmspell, 'exec', '--lang', 'js', '1 + 1'], aim: 2.5 },
    { name: 'llmspell exec, TypeScript, warm', argv: [llmspell, 'exec', '--lang', 'ts', '1 + 1'], aim: 2.5 },
  ]
  const time = (argv: string[]): number => {
    const began = performance.now()
    const { status, stderr } = spawnSync(process.execPath, argv, { env: home.env, cwd: home.dir, stdio: ['ignore', 'pipe', 'pipe'] })
    if (status !== 0) throw new Error(`${argv.slice(1).join(' ')} ended with ${status}: ${stderr}`)
    return performance.now() - began
  }
  try {
    const started = await home.llmspell(['kernel', 'start', '--daemon'])
    if (started.code !== 0) throw new Error(`the kernel does not start: ${started.stderr}`)
    for (const { argv } of subjects) time(argv)
    const times = new Map<string, number[]>(subjects.map(({ name }) => [name, []]))
    for (let round = 0; round < options.rounds; round++) for (const { name, argv } of subjects) times.get(name)?.push(time(argv))
    const base = median(times.get('node -e 0') ?? [])
    const rows = subjects.map(({ name, aim }) => {
      const own = median(times.get(name) ?? [])
      return [name, number(own), number(own / base), aim ? `≤ ${aim}` : '', aim ? (own / base <= aim ? 'met' : 'falls short') : '']
    })
    return table(['command', 'median, ms', '÷ node -e 0', 'aim', ''], rows)
  } finally {
    await home.dispose()
  }
}
