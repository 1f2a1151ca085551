import { randomUUID } from 'node:crypto'
import { linkSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { LlmspellError } from '@llmspell/base'
import { isRunning, ownIdentity, type ProcessIdentity } from './process-identity.ts'

/** Who holds a lock file. The nonce tells this holding from every other, also of the same process. */
export interface LockOwner extends ProcessIdentity {
  readonly nonce: string
}

export interface HeldLock {
  release(): void
}

/**
 * Takes the lock or returns its owner. A lock file appears with its content in one step (a hard link), so no reader meets a
 * half-written one, and a lock whose owner is gone is taken over by exactly one of those who notice.
 */
export function tryLock(path: string): HeldLock | LockOwner {
  for (;;) {
    const mine: LockOwner = { ...ownIdentity(), nonce: randomUUID() }
    if (createLinked(path, mine)) return { release: () => removeOwn(path, mine) }
    const owner = readOwner(path)
    if (!owner) continue
    if (isRunning(owner)) return owner
    removeDead(path, owner)
  }
}

export function isHeld(lock: object): lock is HeldLock {
  return 'release' in lock
}

/**
 * Removes the lock of a dead owner. Between reading it and removing it another process may have done so and taken the lock
 * anew, so only the holder of a second lock, named by the dead owner's nonce, may remove, and only after reading again.
 * That second lock is one like the first: if its owner dies too, it is removed in the same way.
 */
function removeDead(path: string, dead: LockOwner): void {
  const guardPath = `${path}.${dead.nonce}`
  const guard = tryLock(guardPath)
  if (!isHeld(guard)) return
  try {
    if (readOwner(path)?.nonce === dead.nonce) unlinkSync(path)
  } finally {
    guard.release()
  }
}

function createLinked(path: string, owner: LockOwner): boolean {
  const temporary = `${path}.${owner.nonce}.new`
  writeFileSync(temporary, JSON.stringify(owner), { flag: 'wx', mode: 0o600 })
  try {
    linkSync(temporary, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw new LlmspellError(`cannot make the lock ${path}`, { code: 'lock.failed', data: { path }, cause: error })
  } finally {
    unlinkSync(temporary)
  }
}

/** A lock that cannot be looked at stays: who wants it sees that its owner is gone. */
function removeOwn(path: string, mine: LockOwner): void {
  let owner: LockOwner | undefined
  try {
    owner = readOwner(path)
  } catch {
    return
  }
  if (owner?.nonce === mine.nonce) unlinkSync(path)
}

/** `undefined` when there is no lock. */
function readOwner(path: string): LockOwner | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as LockOwner
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new LlmspellError(`cannot read the lock ${path}`, {
      code: 'lock.failed',
      data: { path },
      cause: error,
      hint: 'If no llmspell command is running, remove this file.',
    })
  }
}
