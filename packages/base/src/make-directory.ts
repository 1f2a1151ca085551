import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a directory with its parents; one that is there is left as it is. Throws like `mkdirSync`, whose own `recursive` never comes
 * back from file systems that answer ENOENT below a parent that exists, such as `/proc`.
 */
export function makeDirectory(directory: string, mode: number = 0o777): void {
  if (isDirectory(directory)) return
  const parent = dirname(directory)
  if (parent !== directory) makeDirectory(parent, mode)
  try {
    mkdirSync(directory, mode)
  } catch (error) {
    // Somebody else was quicker.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !isDirectory(directory)) throw error
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
