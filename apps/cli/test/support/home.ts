import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withTimeout } from '@llmspell/base'

const BIN = fileURLToPath(new URL('../../bin/llmspell.js', import.meta.url))

/** How long one command may take on a loaded machine, and how long a kernel may take to end. */
export const COMMAND_MS = 90_000
const END_MS = 30_000

export interface Result {
  /** The exit code; a signal counts as 128 and more, as in shells. */
  code: number
  stdout: string
  stderr: string
}

export interface Running {
  child: ChildProcess
  result: Promise<Result>
  /** Resolves once the output so far contains this. */
  shows(text: string, stream?: 'stdout' | 'stderr'): Promise<void>
}

/** A user of its own: configuration, state and kernels of one test, gone after it. */
export class Home {
  // Short, because addresses of unix sockets are.
  readonly directory: string = mkdtempSync('/tmp/lsc-')
  readonly env: NodeJS.ProcessEnv

  constructor() {
    const own = Object.entries(process.env).filter(([name]) => !/^(LLMSPELL_|VITEST|JUPYTER_|NO_COLOR|FORCE_COLOR|NODE_OPTIONS)/.test(name))
    this.env = {
      ...Object.fromEntries(own),
      HOME: this.directory,
      LLMSPELL_HOME: join(this.directory, 'llmspell'),
      JUPYTER_DATA_DIR: join(this.directory, 'jupyter'),
    }
  }

  file(name: string, content: string): string {
    const path = join(this.directory, name)
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, content)
    return path
  }

  run(args: readonly string[], input?: string): Promise<Result> {
    return this.start(args, input).result
  }

  start(args: readonly string[], input?: string): Running {
    const child = spawn(process.execPath, [BIN, ...args], { cwd: this.directory, env: this.env, stdio: ['pipe', 'pipe', 'pipe'] })
    child.stdin.on('error', () => {}) // The command may end without reading it all.
    child.stdin.end(input ?? '')
    const output = { stdout: '', stderr: '' }
    const watchers = new Set<() => void>()
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        output[stream] += text
        for (const look of watchers) look()
      })
    }
    const ended = new Promise<Result>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => resolve({ code: code ?? (signal === 'SIGKILL' ? 137 : 128), ...output }))
    })
    const what = `llmspell ${args.join(' ')}`
    return {
      child,
      result: withTimeout(ended, COMMAND_MS, `the end of ${what}`).catch((error: Error) => {
        child.kill('SIGKILL')
        throw new Error(`${error.message}\nstdout: ${output.stdout}\nstderr: ${output.stderr}`)
      }),
      shows: (text, stream = 'stdout') => {
        const shown = new Promise<void>((resolve) => {
          const look = (): void => {
            if (!output[stream].includes(text)) return
            watchers.delete(look)
            resolve()
          }
          watchers.add(look)
          look()
        })
        return withTimeout(shown, COMMAND_MS, `${JSON.stringify(text)} on ${stream} of ${what}`)
      },
    }
  }

  /** Pids of processes that run with this home. */
  processes(): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => environmentOf(pid).includes(`LLMSPELL_HOME=${this.env['LLMSPELL_HOME']}\0`))
  }

  async kernelPid(id = 'default'): Promise<number> {
    const { stdout } = await this.run(['kernel', 'status', id, '--json'])
    return (JSON.parse(stdout) as { record: { pid: number } }).record.pid
  }

  /** Ends what runs and removes all files. */
  async dispose(): Promise<void> {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      for (const pid of this.processes()) kill(pid, signal)
      const end = Date.now() + END_MS
      while (this.processes().length > 0 && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 50))
    }
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 })
  }
}

function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8')
  } catch {
    return ''
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended by itself.
  }
}
