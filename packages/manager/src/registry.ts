import { lstatSync, readdirSync, readFileSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { LlmspellPaths } from '@llmspell/config/paths'
import { isRunning } from '@llmspell/config/process-identity'
import { type ConnectionInfo, type KernelRecord, parseConnectionFile } from '@llmspell/jupyter'

/** A kernel as its connection file in the runtime directory tells of it. */
export interface RegisteredKernel {
  readonly file: string
  readonly connection: ConnectionInfo
  readonly record: KernelRecord
}

/** The kernel registered under this id, running or not; `undefined` when there is none or its file cannot be read as one. */
export function readKernel(paths: LlmspellPaths, id: string): RegisteredKernel | undefined {
  return readEntry(paths.connectionFile(id))
}

/** All registered kernels, running or not, oldest first. */
export function readKernels(paths: LlmspellPaths): RegisteredKernel[] {
  return entries(paths.kernelsDir)
    .filter((name) => name.endsWith('.json'))
    .map((name) => readEntry(join(paths.kernelsDir, name)))
    .filter((kernel) => kernel !== undefined)
    .sort((a, b) => a.record.startedAt.localeCompare(b.record.startedAt))
}

/** The process that wrote the entry still runs: the same pid and the same start time. */
export function isKernelRunning(kernel: RegisteredKernel): boolean {
  return isRunning(kernel.record)
}

/**
 * Removes what a dead kernel left: its connection file and sockets. The caller holds the start lock of this id, so that no
 * file of a successor is taken for one of the dead.
 */
export function removeRemains(kernel: RegisteredKernel): void {
  const { connection, file } = kernel
  if (connection.transport === 'ipc') {
    for (const port of [connection.shell_port, connection.iopub_port, connection.stdin_port, connection.control_port, connection.hb_port])
      removeFile(`${connection.ip}-${port}`)
  }
  removeFile(file)
}

const MAX_ENTRY_BYTES = 1024 * 1024

function readEntry(file: string): RegisteredKernel | undefined {
  let text: string
  try {
    // A pipe or a device under a name like this would keep whoever reads it for ever.
    const entry = lstatSync(file)
    if (!entry.isFile() || entry.size > MAX_ENTRY_BYTES) return undefined
    text = readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
  try {
    const connection = parseConnectionFile(text, file)
    return connection.llmspell && { file, connection, record: connection.llmspell }
  } catch {
    return undefined
  }
}

function entries(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

function removeFile(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
