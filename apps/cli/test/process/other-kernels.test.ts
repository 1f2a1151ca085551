import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { COMMAND_MS, Home } from '../support/home.ts'

const PYTHON = '/usr/bin/python3'
const found = spawnSync(PYTHON, ['-c', 'import ipykernel']).status === 0
if (!found) console.log('skipped: a kernel that is not ours (Debian: python3-ipykernel) is not installed')

describe.skipIf(!found)('a kernel that is not ours', { timeout: COMMAND_MS * 2 }, () => {
  let home: Home
  let python: ChildProcess
  let file: string
  beforeAll(async () => {
    home = new Home()
    file = join(home.directory, 'python.json')
    python = spawn(PYTHON, ['-m', 'ipykernel_launcher', '-f', file], { env: home.env, stdio: 'ignore' })
    const end = Date.now() + COMMAND_MS
    while (!existsSync(file)) {
      if (Date.now() > end) throw new Error(`ipykernel wrote no connection file within ${COMMAND_MS} ms`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }, COMMAND_MS * 2)
  afterAll(async () => {
    python.kill('SIGKILL')
    await home.dispose()
  }, COMMAND_MS)

  it('executes, fails, reads a line and is told of in the same words', async () => {
    const at = ['--connect', file]
    expect(await home.run(['exec', ...at, 'print("out"); 6 * 7'])).toMatchObject({ code: 0, stdout: 'out\n42\n' })
    const failed = await home.run(['exec', ...at, '1/0'])
    expect(failed).toMatchObject({ code: 1, stdout: '' })
    expect(failed.stderr).toContain('ZeroDivisionError')
    expect((await home.run(['exec', ...at, 'input("? ")'], 'Ada\n')).stdout).toBe("'Ada'\n")
    expect((await home.run(['repl', ...at], 'for i in range(2):\n  print(i)\n\ni + 10\n')).stdout).toBe('0\n1\n11\n')
    const { kernelInfo } = JSON.parse((await home.run(['kernel', 'connect', file, '--json'])).stdout) as {
      kernelInfo: { implementation: string }
    }
    expect(kernelInfo.implementation).toBe('ipython')
  })

  it('that has ended is told of as one that cannot be reached', async () => {
    python.kill('SIGKILL')
    const { code, stderr } = await home.run(['exec', '--connect', file, '1'])
    expect(code).toBe(3)
    expect(stderr).toContain('cannot connect to the kernel')
  })
})
