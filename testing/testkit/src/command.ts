import { spawn } from 'node:child_process'

export interface RunOptions {
  cwd?: string
  env?: NodeJS.ProcessEnv
  /** Given on standard input, which then ends. */
  input?: string
  /** Milliseconds; then the process is killed and the call fails with what was printed so far. */
  timeout: number
}

export interface CommandResult {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

/** Runs a program to its end. Fails only when it cannot start or takes too long: the exit code is for the caller to judge. */
export function run(program: string, args: readonly string[], options: RunOptions): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: options.cwd, env: options.env ?? process.env, stdio: ['pipe', 'pipe', 'pipe'] })
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
    child.stdin.on('error', () => {}) // it ended without reading: its exit code says why
    child.stdin.end(options.input ?? '')
    const text = (chunks: Buffer[]): string => Buffer.concat(chunks).toString('utf8')
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`${program} ${args.join(' ')} took over ${options.timeout} ms\n${text(out)}\n${text(err)}`))
    }, options.timeout)
    child.on('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    // `exit`, not `close`: a daemon that it leaves behind may hold the pipes
    child.on('exit', (code, signal) => {
      clearTimeout(timer)
      setImmediate(() => {
        const done = (): void => resolve({ code, signal, stdout: text(out), stderr: text(err) })
        const grace = setTimeout(() => {
          child.stdout.destroy()
          child.stderr.destroy()
        }, 1000)
        child.on('close', () => {
          clearTimeout(grace)
          done()
        })
        if (child.stdout.closed && child.stderr.closed) {
          clearTimeout(grace)
          done()
        }
      })
    })
  })
}
