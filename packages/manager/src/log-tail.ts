import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

/** The last `lines` lines of a file, reading at most its last `maxBytes`, and not before the byte `from`. */
export function logTail(path: string, lines: number, options: { from?: number; maxBytes?: number } = {}): string {
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch {
    return ''
  }
  try {
    const { size } = fstatSync(fd)
    const start = Math.max(options.from ?? 0, size - (options.maxBytes ?? 1 << 20), 0)
    const buffer = Buffer.alloc(Math.max(0, size - start))
    const read = readSync(fd, buffer, 0, buffer.length, start)
    const all = buffer.subarray(0, read).toString('utf8').split('\n')
    if (all.at(-1) === '') all.pop()
    return all.slice(-lines).join('\n')
  } finally {
    closeSync(fd)
  }
}
