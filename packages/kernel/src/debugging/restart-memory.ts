import { lstat, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf } from '@llmspell/base'
import { cellDirectory } from './cell-names.ts'

/** A request of the debug protocol, as a front end sent it. */
export interface RememberedRequest {
  type: 'request'
  seq: number
  command: string
  arguments?: unknown
}

/** A kernel that is not there again by then was not restarted. */
const FRESH_MS = 60_000

/** What the notebook's debugger was told, for the process that a kernel manager launches in place of this one. */
export async function writeMemory(id: string, requests: readonly RememberedRequest[]): Promise<void> {
  const directory = cellDirectory()
  await mkdir(directory, { mode: 0o700, recursive: true })
  if (!(await isOurs(directory))) return
  const path = memoryPath(directory, id)
  await writeFile(`${path}.tmp`, JSON.stringify({ at: Date.now(), requests }), { mode: 0o600 })
  await rename(`${path}.tmp`, path)
}

/** What the process before this one was told, once. */
export async function takeMemory(id: string): Promise<readonly RememberedRequest[] | undefined> {
  const directory = cellDirectory()
  const path = memoryPath(directory, id)
  try {
    const text = await readFile(path, 'utf8')
    if (!(await isOurs(directory))) return undefined
    await rm(path, { force: true })
    const { at, requests } = JSON.parse(text) as { at: number; requests: RememberedRequest[] }
    return Date.now() - at < FRESH_MS ? requests : undefined
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || error instanceof SyntaxError) return undefined
    throw error
  }
}

function memoryPath(directory: string, id: string): string {
  return join(directory, `restart-${id}.json`)
}

/** Conditions of breakpoints are code: nobody else may have written them. */
async function isOurs(directory: string): Promise<boolean> {
  if (!process.getuid) return true
  const { uid, mode } = await lstat(directory)
  return uid === process.getuid() && (mode & 0o077) === 0
}
