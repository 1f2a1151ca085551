import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from '@llmspell/base'
import type { ConnectionInfo } from '@llmspell/jupyter'
import { afterEach, vi } from 'vitest'
import { bindKernelSockets, type KernelSockets, type KernelSocketsOptions } from '../../src/index.ts'

/** Long enough for a machine that does ten other things; nothing here measures speed. */
export const STEP_TIMEOUT_MS = 30_000
vi.setConfig({ testTimeout: 120_000 })

const cleanups: (() => unknown)[] = []

/** Runs after the test, last added first. */
export function cleanup(run: () => unknown): void {
  cleanups.push(run)
}

afterEach(async () => {
  for (const run of cleanups.splice(0).reverse()) await run()
})

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'zmq-'))
  cleanup(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

export function tcpConnection(change: Partial<ConnectionInfo> = {}): ConnectionInfo {
  const ports = { shell_port: 0, iopub_port: 0, stdin_port: 0, control_port: 0, hb_port: 0 }
  return { transport: 'tcp', ip: '127.0.0.1', ...ports, key: 'a key', signature_scheme: 'hmac-sha256', kernel_name: 'test', ...change }
}

export function ipcConnection(directory: string): ConnectionInfo {
  const ports = { shell_port: 1, iopub_port: 2, stdin_port: 3, control_port: 4, hb_port: 5 }
  return tcpConnection({ transport: 'ipc', ip: join(directory, 'kernel'), ...ports })
}

/** Bound sockets that are closed after the test. */
export async function bound(options: Partial<KernelSocketsOptions> = {}): Promise<KernelSockets> {
  const kernel = await bindKernelSockets({ connection: tcpConnection(), lingerMs: 200, ...options })
  cleanup(() => kernel.close())
  return kernel
}

/** A logger that keeps its lines. */
export function recordingLogger(): Logger & { lines: { level: string; message: string; fields?: Record<string, unknown> }[] } {
  const logger: ReturnType<typeof recordingLogger> = {
    lines: [],
    log: (level, message, fields) => void logger.lines.push({ level, message, ...(fields && { fields }) }),
    child: () => logger,
  }
  return logger
}

export async function until(what: string, check: () => boolean): Promise<void> {
  const deadline = performance.now() + STEP_TIMEOUT_MS
  while (!check()) {
    if (performance.now() > deadline) throw new Error(`timed out waiting for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
