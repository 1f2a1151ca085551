import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { delay, withTimeout } from '@llmspell/base'
import { KernelClient, type Output } from '@llmspell/client'
import { type ConnectionInfo, parseConnectionFile } from '@llmspell/jupyter'
import { connectKernel } from '@llmspell/jupyter-zmq/client'
import { onTestFinished } from 'vitest'

export const START_MS = 30_000
export const END_MS = 20_000
export const KERNEL_TEST_MS = 90_000

const MAIN = fileURLToPath(import.meta.resolve('@llmspell/kernel-app/main'))

/** A home of its own, short because unix socket paths are. Gone when the test is over. */
export function makeHome(): string {
  const home = mkdtempSync('/tmp/lk-')
  onTestFinished(async () => {
    // An engine process outlives its killed kernel for a moment, and may still write to the compile cache.
    await until('the processes of this home to be gone', () => processesOf(home).length === 0)
    rmSync(home, { recursive: true, force: true })
  })
  return home
}

function processesOf(home: string): string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && isAlive(Number(name)) && readFileSync(`/proc/${name}/environ`, 'utf8').includes(`LLMSPELL_HOME=${home}`)
    } catch {
      return false
    }
  })
}

export interface Ready {
  ok: boolean
  id: string
  pid: number
  connectionFile: string
  error?: { code: string; message: string; hint?: string }
}

export interface KernelUnderTest {
  readonly home: string
  readonly process: ChildProcess
  readonly pid: number
  /** What it wrote on stdout and stderr. */
  printed(): string
  /** The one line on its ready descriptor; `undefined` when it ended without a word. */
  readonly ready: Promise<Ready | undefined>
  /** Waits until the process has ended. */
  ended(): Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  /** Waits until it is ready, failing with what it printed. */
  started(): Promise<ConnectionInfo>
  connect(): Promise<KernelClient>
}

export interface StartOptions {
  home?: string
  args?: readonly string[]
  env?: Record<string, string | undefined>
  nodeArgs?: readonly string[]
  cwd?: string
}

/** A real kernel process; killed at the end of the test when it still runs. */
export function startKernel({ home = makeHome(), args = [], env = {}, nodeArgs = [], cwd }: StartOptions = {}): KernelUnderTest {
  const child = spawn(process.execPath, [...nodeArgs, MAIN, '--ready-fd', '3', ...args], {
    cwd: cwd ?? home,
    env: { ...cleanEnvironment(), LLMSPELL_HOME: home, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (printed += text))
  const exited = once(child, 'close').then(([code, signal]) => ({ code: code as number | null, signal: signal as NodeJS.Signals | null }))
  const ready = readyLine(child.stdio[3] as Readable)
  const clients: KernelClient[] = []
  onTestFinished(async () => {
    for (const client of clients) await client.close()
    child.kill('SIGKILL')
    await exited
  })

  async function started(): Promise<ConnectionInfo> {
    const line = await withTimeout(ready, START_MS, 'the kernel to say that it is ready')
    if (!line?.ok) throw new Error(`the kernel did not start: ${JSON.stringify(line)}\n${printed}`)
    return parseConnectionFile(readFileSync(line.connectionFile, 'utf8'))
  }

  return {
    home,
    process: child,
    pid: child.pid as number,
    printed: () => printed,
    ready,
    ended: () => withTimeout(exited, END_MS, 'the kernel process to end'),
    started,
    async connect() {
      const client = await KernelClient.connect({
        transport: connectKernel(await started(), { connectTimeoutMs: START_MS }),
        connectTimeoutMs: START_MS,
      })
      clients.push(client)
      return client
    },
  }
}

/** The tests' own settings are not the kernel's. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(LLMSPELL_|JPY_|VITEST|NODE_)/.test(name)))
}

async function readyLine(stream: Readable): Promise<Ready | undefined> {
  let text = ''
  for await (const chunk of stream.setEncoding('utf8')) text += chunk as string
  return text === '' ? undefined : (JSON.parse(text) as Ready)
}

export interface CellResult {
  status: string
  /** Streams and text/plain of results and displays. */
  text: string
  ename?: string
  evalue?: string
}

export async function run(client: KernelClient, code: string, options: Parameters<KernelClient['execute']>[1] = {}): Promise<CellResult> {
  let text = ''
  const onOutput = (output: Output): void => {
    if (output.type === 'stream') text += output.text
    else if (output.type === 'execute_result' || output.type === 'display_data') text += String(output.data['text/plain'])
  }
  const reply = await withTimeout(client.execute(code, { ...options, onOutput }).done, KERNEL_TEST_MS, `the end of ${code.slice(0, 60)}`)
  const { status, ename, evalue } = reply as { status: string; ename?: string; evalue?: string }
  return { status, text, ...(ename !== undefined && { ename }), ...(evalue !== undefined && { evalue }) }
}

export async function until(what: string, holds: () => boolean | Promise<boolean>, ms: number = END_MS): Promise<void> {
  const end = Date.now() + ms
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited ${ms} ms for ${what}`)
    await delay(20)
  }
}

/** Running, not merely waiting to be reaped. */
export function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

export function logOf(home: string, id = 'default'): string {
  return join(home, 'state', 'logs', `${id}.log`)
}
