import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { isRunning, ownIdentity, startTimeOf } from '../src/process-identity.ts'

it('names this process, always the same way', () => {
  expect(ownIdentity().pid).toBe(process.pid)
  expect(startTimeOf(process.pid)).toBe(ownIdentity().startTime)
  expect(isRunning(ownIdentity())).toBe(true)
})

it('does not take a process with the same number for the same process', () => {
  expect(isRunning({ pid: process.pid, startTime: '1' })).toBe(false)
})

it('knows that a process is gone, reaped or not', async () => {
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'])
  await once(child, 'spawn')
  const identity = { pid: child.pid as number, startTime: startTimeOf(child.pid as number) as string }
  expect(isRunning(identity)).toBe(true)
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(isRunning(identity)).toBe(false)
})

it.each([0, -1, 1.5, Number.NaN, 2 ** 40])('finds no process %s', (pid) => {
  expect(startTimeOf(pid)).toBeUndefined()
})
