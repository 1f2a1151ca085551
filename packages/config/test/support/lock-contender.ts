/** Takes a lock again and again; writes a line when it holds it alone, and sometimes dies while holding it. */
import { appendFileSync, closeSync, openSync, unlinkSync } from 'node:fs'

const [lockModule, lock, inside, log, rounds, deadly] = process.argv.slice(2) as [string, string, string, string, string, string]
const { isHeld, tryLock } = (await import(lockModule)) as typeof import('../../src/lock-file.ts')

const pause = (ms: number): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

for (let round = 0; round < Number(rounds); round++) {
  const held = tryLock(lock)
  if (!isHeld(held)) {
    pause(Math.random() * 3)
    round--
    continue
  }
  try {
    closeSync(openSync(inside, 'wx'))
  } catch {
    appendFileSync(log, 'VIOLATION\n')
  }
  appendFileSync(log, `held ${process.pid}\n`)
  pause(Math.random() * 2)
  unlinkSync(inside)
  if (deadly === 'deadly' && round === Number(rounds) - 1) process.kill(process.pid, 'SIGKILL')
  held.release()
}
