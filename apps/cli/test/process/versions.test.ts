import { fileURLToPath } from 'node:url'
import { resolvePaths } from '@llmspell/config/paths'
import { type AcquireNotice, acquireKernel, isKernelRunning, readKernel } from '@llmspell/manager'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { COMMAND_MS, Home } from '../support/home.ts'

let home: Home
beforeEach(() => {
  home = new Home()
})
afterEach(() => home.dispose(), COMMAND_MS)

/** As a program of another version would. */
async function acquire(version: string): Promise<{ id: string | undefined; notices: AcquireNotice['type'][] }> {
  const notices: AcquireNotice['type'][] = []
  const { client, kernel } = await acquireKernel({
    paths: resolvePaths(home.env),
    version,
    entry: fileURLToPath(import.meta.resolve('@llmspell/kernel-app/main')),
    cwd: home.directory,
    env: home.env,
    onNotice: ({ type }) => notices.push(type),
  })
  await client.close()
  return { id: kernel.record.id, notices }
}

it('a program of another version leaves a busy kernel alone and uses a second one', { timeout: COMMAND_MS * 3 }, async () => {
  const loop = home.start(['exec', 'print("on") while true do end'])
  await loop.shows('on')
  const paths = resolvePaths(home.env)
  const first = readKernel(paths, 'default')
  const own = (first as NonNullable<typeof first>).record.version
  expect(await acquire(own)).toEqual({ id: 'default', notices: [] })
  expect(await acquire('99.0.0')).toEqual({ id: 'default-99.0.0', notices: ['other_version', 'starting', 'started'] })
  expect(await acquire('99.0.0')).toEqual({ id: 'default-99.0.0', notices: ['other_version'] })
  expect(first && isKernelRunning(first)).toBe(true)
  expect(loop.child.exitCode).toBeNull()
  loop.child.kill('SIGINT')
  expect((await loop.result).code).toBe(130)
})
