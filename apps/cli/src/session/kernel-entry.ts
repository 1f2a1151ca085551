import { fileURLToPath } from 'node:url'

/** The script of the kernel process, from the installation this program belongs to. */
export function kernelEntry(): string {
  return fileURLToPath(import.meta.resolve('@llmspell/kernel-app/main'))
}
