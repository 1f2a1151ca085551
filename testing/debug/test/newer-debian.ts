import { spawnSync } from 'node:child_process'
import { lstatSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { toolsRequired } from '@llmspell/testkit'
import { describe, test } from 'vitest'

const script = fileURLToPath(new URL('../debian.sh', import.meta.url))
const repository = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '')
const root = process.env.LLMSPELL_DEBIAN ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'llmspell-testing', 'trixie')

/** A command line that runs a program of the newer Debian. It sees the repository, this Node and /tmp where they are here. */
export function inNewerDebian(program: string, ...args: string[]): string[] {
  return [script, 'run', repository, dirname(dirname(process.execPath)), '--', program, ...args]
}

/** A process in the newer Debian needs this to find it, as its home is another. */
export const newerDebian: NodeJS.ProcessEnv = { LLMSPELL_DEBIAN: root }

/** A `describe` for programs of the newer Debian: where none can be had it is skipped and the reason is printed. */
export function describeInNewerDebian(program: string, name: string, body: () => void): void {
  // not followed: links there are meant from within
  if (lstatSync(join(root, program), { throwIfNoEntry: false })) {
    describe(name, body)
    return
  }
  const possible = spawnSync(script, ['possible'], { encoding: 'utf8' })
  // Whoever tried to make it says why that failed.
  const failed = process.env.LLMSPELL_NO_NEWER_DEBIAN
  const unmade = possible.status === 0 ? 'the newer Debian is not made (testing/debug/debian.sh make)' : possible.stdout.trim()
  const reason = failed ?? unmade
  if (toolsRequired && failed === undefined && possible.status === 0) {
    test(`${name}: has what it needs`, () => {
      throw new Error(reason)
    })
    return
  }
  console.warn(`skipped: ${name}: ${reason}`)
  describe.skip(name, body)
}
