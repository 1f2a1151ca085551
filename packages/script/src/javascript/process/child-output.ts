import fs from 'node:fs'
import { createRequire, registerHooks, syncBuiltinESMExports } from 'node:module'
import type { ScriptThread } from './script-thread.ts'

const STARTERS = ['spawn', 'spawnSync', 'exec', 'execSync', 'execFile', 'execFileSync', 'fork'] as const

/**
 * Child processes write to the descriptors 1 and 2 themselves. What the script has printed before is to come before that: it is
 * written when a child starts. Patched when a script first asks for the module, which costs nothing until then.
 */
export function keepOrderWithChildren(thread: ScriptThread): void {
  let patched = false
  registerHooks({
    resolve(specifier, context, nextResolve) {
      if (!patched && (specifier === 'node:child_process' || specifier === 'child_process')) {
        patched = true
        patchStarters(thread)
      }
      return nextResolve(specifier, context)
    },
  })
  const { writeSync } = fs
  fs.writeSync = ((...args: Parameters<typeof writeSync>): number => {
    const [fd, data] = args
    if ((fd !== 1 && fd !== 2) || typeof data !== 'string') return writeSync(...args)
    const stream = fd === 1 ? process.stdout : process.stderr
    stream.write(data)
    return Buffer.byteLength(data)
  }) as typeof writeSync
  syncBuiltinESMExports()
}

function patchStarters(thread: ScriptThread): void {
  const module = createRequire(import.meta.url)('node:child_process') as Record<string, (...args: unknown[]) => unknown>
  for (const name of STARTERS) {
    const original = module[name] as (...args: unknown[]) => unknown
    const patched = function (this: unknown, ...args: unknown[]): unknown {
      thread.outbox.flush()
      if (!name.endsWith('Sync')) return original.apply(this, args)
      try {
        return original.apply(this, args)
      } finally {
        thread.send({ t: 'childEnded' })
      }
    }
    // `promisify(exec)` has a form of its own.
    Object.defineProperties(patched, Object.getOwnPropertyDescriptors(original))
    module[name] = patched
  }
}
