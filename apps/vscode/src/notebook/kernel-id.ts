import { createHash } from 'node:crypto'
import { basename, extname } from 'node:path'

/** The kernel of a notebook: the same for the same file, and readable in a list. */
export function notebookKernelId(path: string): string {
  const name = basename(path, extname(path))
    .normalize('NFKD')
    .replaceAll(/[^A-Za-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 40)
  const hash = createHash('sha256').update(path).digest('hex').slice(0, 6)
  return ['notebook', name, hash].filter(Boolean).join('-')
}
