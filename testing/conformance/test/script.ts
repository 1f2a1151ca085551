import { fileURLToPath } from 'node:url'

/** A program in the suite's `python` folder. */
export function script(name: string): string {
  return fileURLToPath(new URL(`../python/${name}`, import.meta.url))
}
