import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { runCommand } from '../../src/lua/run-command.ts'

const COMMAND_MS = 60_000

const run = (command: string, mostBytes?: number) =>
  runCommand({ command, cwd: process.cwd(), env: { PATH: process.env['PATH'] ?? '' } }, new AbortController().signal, mostBytes)

describe.skipIf(process.platform === 'win32')('a shell command', { timeout: COMMAND_MS }, () => {
  it('gives both its outputs and its exit code', async () => {
    const { stdout, stderr, status } = await run('echo out; echo err >&2; exit 3')
    expect([String(stdout), String(stderr), status]).toEqual(['out\n', 'err\n', 3])
  })

  it('that ends by a signal has 128 and its number for a code', async () => {
    expect((await run('kill -9 $$')).status).toBe(137)
  })

  it('that never stops writing is ended with what it started, and is an error', async () => {
    await expect(run('yes', 1 << 20)).rejects.toMatchObject({
      code: 'command.too_much_output',
      message: 'the command wrote more than 1 MiB and was ended',
    })
  })

  it('is an error, and nothing worse, when no file descriptor is left', async () => {
    const program = `import { openSync } from 'node:fs'
      import { EngineProcess } from ${JSON.stringify(new URL('../../dist/javascript/engine-process.js', import.meta.url).href)}
      import { runCommand } from ${JSON.stringify(new URL('../../dist/lua/run-command.js', import.meta.url).href)}
      try { for (;;) openSync('/dev/null') } catch {}
      const command = await runCommand({ command: 'true', cwd: '/', env: {} }, new AbortController().signal).catch((error) => error.code)
      let engine
      try { new EngineProcess({ cwd: '/', env: {}, memoryLimit: 1 << 28 }, {}) } catch (error) { engine = error.code }
      setTimeout(() => console.log(command, engine), 50)`
    const limited = 'ulimit -n 64; exec "$0" --input-type=module -e "$1"'
    const { stdout } = await promisify(execFile)('sh', ['-c', limited, process.execPath, program])
    expect(stdout).toBe('EMFILE engine.not_started\n')
  })

  it('that cannot be started is an error', async () => {
    const failing = runCommand({ command: 'true', cwd: '/no/such/directory', env: {} }, new AbortController().signal)
    await expect(failing).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('is ended by an abort', async () => {
    const controller = new AbortController()
    const running = runCommand({ command: 'sleep 3600', cwd: process.cwd(), env: { PATH: process.env['PATH'] ?? '' } }, controller.signal)
    controller.abort()
    expect((await running).status).toBe(143)
  })
})
