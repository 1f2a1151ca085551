import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type CommandResult, type RunOptions, run } from './command.ts'
import { llmspellBin } from './entries.ts'
import { processesWith } from './processes.ts'
import { until } from './until.ts'

/** A person's machine of its own: nothing outside `dir` is read or written by what runs with `env`. */
export interface Home {
  dir: string
  env: NodeJS.ProcessEnv
  /** Runs `llmspell` in it. */
  llmspell(args: readonly string[], options?: Partial<RunOptions>): Promise<CommandResult>
  /** What still runs with this home. */
  processes(): { pid: number; command: string }[]
  /** Stops everything that runs with this home, removes the folder, and tells what had to be stopped. */
  dispose(): Promise<{ pid: number; command: string }[]>
}

const COMMAND_MS = 60_000
const END_MS = 10_000

export function createHome(): Home {
  // short, because unix socket paths inside must stay under 107 bytes
  const dir = mkdtempSync('/tmp/ls-')
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    LLMSPELL_HOME: join(dir, 'llmspell'),
    HOME: dir,
    JUPYTER_PATH: join(dir, 'prefix', 'share', 'jupyter'),
    JUPYTER_DATA_DIR: join(dir, 'jupyter', 'data'),
    JUPYTER_RUNTIME_DIR: join(dir, 'jupyter', 'runtime'),
    JUPYTER_CONFIG_DIR: join(dir, 'jupyter', 'config'),
    IPYTHONDIR: join(dir, 'ipython'),
    PYTHONWARNINGS: 'ignore',
    PYTHONDONTWRITEBYTECODE: '1',
  }
  for (const name of Object.keys(env)) if (/^(LLMSPELL_(?!HOME$|REQUIRE_TOOLS$)|XDG_|VITEST|JPY_)/.test(name)) delete env[name]
  for (const name of ['JUPYTER_DATA_DIR', 'JUPYTER_RUNTIME_DIR', 'JUPYTER_CONFIG_DIR']) mkdirSync(String(env[name]), { recursive: true })
  const processes = (): { pid: number; command: string }[] => processesWith('LLMSPELL_HOME', String(env.LLMSPELL_HOME))

  return {
    dir,
    env,
    processes,
    llmspell: (args, options = {}) => run(process.execPath, [llmspellBin(), ...args], { cwd: dir, env, timeout: COMMAND_MS, ...options }),
    async dispose() {
      const left = processes()
      for (const { pid } of left) kill(pid, 'SIGTERM')
      await until('processes of the test end on SIGTERM', () => processes().length === 0, END_MS).catch(() => {
        for (const { pid } of processes()) kill(pid, 'SIGKILL')
      })
      rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
      return left
    },
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // it ended by itself
  }
}
