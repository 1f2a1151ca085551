import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { withTimeout } from '@llmspell/base'
import { kernelMain } from './entries.ts'
import type { Home } from './home.ts'
import type { KernelLanguage } from './kernelspecs.ts'

export interface StartKernelOptions {
  language?: KernelLanguage
  /** Further words for the kernel process. */
  args?: readonly string[]
  env?: NodeJS.ProcessEnv
}

export interface KernelProcess {
  pid: number
  connectionFile: string
  connection: Record<string, unknown>
  /** Everything it printed so far. */
  printed(): string
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  /** Ends it with SIGTERM, and with SIGKILL when that does not help. */
  stop(): Promise<void>
}

const READY_MS = 30_000
const STOP_MS = 30_000

/** A kernel process of its own, ready to be talked to. It is not owned by a client: it ends when it is stopped. */
export async function startKernel(home: Home, options: StartKernelOptions = {}): Promise<KernelProcess> {
  const args = ['--language', options.language ?? 'lua', '--started-by', 'foreground', '--ready-fd', '3', ...(options.args ?? [])]
  const child = spawn(process.execPath, [kernelMain(), ...args], {
    cwd: home.dir,
    env: { ...home.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (printed += text))
  const exited = once(child, 'exit').then(([code, signal]) => ({ code: code as number | null, signal: signal as NodeJS.Signals | null }))
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGTERM')
    await withTimeout(exited, STOP_MS, 'the kernel to end on SIGTERM').catch(async () => {
      child.kill('SIGKILL')
      await exited
    })
  }
  try {
    const line = await withTimeout(firstLine(child.stdio[3] as Readable), READY_MS, 'the kernel to report on its ready descriptor')
    const ready = JSON.parse(line || 'null') as { ok: boolean; pid: number; connectionFile: string } | null
    if (!ready?.ok) throw new Error(`the kernel did not start: ${line || 'it said nothing'}`)
    const connection = JSON.parse(readFileSync(ready.connectionFile, 'utf8')) as Record<string, unknown>
    return { pid: ready.pid, connectionFile: ready.connectionFile, connection, printed: () => printed, exited, stop }
  } catch (error) {
    await stop()
    throw new Error(`${(error as Error).message}\n${printed}`, { cause: error })
  }
}

async function firstLine(stream: Readable): Promise<string> {
  let text = ''
  for await (const chunk of stream.setEncoding('utf8')) {
    text += chunk as string
    if (text.includes('\n')) break
  }
  return text.split('\n')[0] ?? ''
}
