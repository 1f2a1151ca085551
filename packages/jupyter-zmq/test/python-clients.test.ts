import { execFile, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type ConnectionInfo, serializeConnectionFile } from '@llmspell/jupyter'
import { describe, expect, it } from 'vitest'
import { curveKeyPair } from 'zeromq'
import { type Carrier, connectKernel, type KernelSockets } from '../src/index.ts'
import { bound, cleanup, ipcConnection, STEP_TIMEOUT_MS, tcpConnection, temporaryDirectory } from './support/kernel.ts'
import { serveToyKernel } from './support/toy-kernel.ts'

/** Debian's Python, which has jupyter_client and pyzmq of the distribution. */
const PYTHON = process.env['LLMSPELL_PYTHON'] ?? '/usr/bin/python3'
const PROGRAM_TIMEOUT_MS = 120_000
const available = spawnSync(PYTHON, ['-c', 'import jupyter_client, zmq'], { stdio: 'ignore' }).status === 0
if (!available)
  console.warn(`skipped: clients in Python: ${PYTHON} has no jupyter_client and pyzmq (apt-get install python3-jupyter-client)`)

async function python(program: string, ...args: string[]): Promise<unknown> {
  const script = join(import.meta.dirname, 'python', program)
  const { stdout } = await promisify(execFile)(PYTHON, ['-W', 'ignore', script, ...args], { timeout: PROGRAM_TIMEOUT_MS })
  return JSON.parse(stdout)
}

async function serve(
  connection: ConnectionInfo,
  carrier: Carrier,
): Promise<{ kernel: KernelSockets; file: string; seen: { readonly mostBacklog: number } }> {
  const kernel = await bound({ connection, carrier })
  const seen = serveToyKernel(kernel)
  await kernel.open()
  const file = join(temporaryDirectory(), 'connection.json')
  writeFileSync(file, serializeConnectionFile(kernel.connection), { mode: 0o600 })
  return { kernel, file, seen }
}

describe.skipIf(!available).each<Carrier>(['zmtp', 'libzmq'])('clients in Python (%s)', { timeout: PROGRAM_TIMEOUT_MS }, (carrier) => {
  it.each(['tcp', 'ipc'] as const)('jupyter_client over %s', async (transport) => {
    const { file } = await serve(transport === 'tcp' ? tcpConnection() : ipcConnection(temporaryDirectory()), carrier)
    expect(await python('jupyter_client_session.py', file)).toEqual({
      alive: true,
      reply: 'ok',
      outputs: ['status', 'stream', 'status'],
      input: ['typed: name? '],
      pipelined: true,
      buffers: [[0, 255], []],
      control: 'kernel_info_reply',
      still_alive: true,
    })
  })

  it('200,000 lines reach a subscriber that sleeps, in order, idle last, in bounded memory', async () => {
    const { file, seen } = await serve(tcpConnection(), carrier)
    const result = await python('sleeping_subscriber.py', file, 'lines 200000', '3')
    expect(result).toMatchObject({ lines: 200_000, in_order: true, states: ['busy', 'idle'], last: 'status' })
    expect(seen.mostBacklog).toBeLessThan(4 * 1024 * 1024)
  })

  it('a hostile client gets nothing, and the next request is answered', async () => {
    const { kernel, file } = await serve(tcpConnection(), carrier)
    expect(await python('hostile.py', file)).toEqual([
      ['x_reply', ''],
      ['invented_reply', ''],
      ['kernel_info_reply', 'once'],
      ['kernel_info_reply', 'last'],
    ])
    expect(kernel.dropped).toMatchObject({ 'wire.replayed': 1, 'wire.unsigned': 1, 'wire.too_large': 1 })
    expect(kernel.dropped['wire.bad_signature']).toBe(20_003)
  })
})

describe('encryption', () => {
  const { publicKey, secretKey } = curveKeyPair()
  const connection = tcpConnection({ curve_publickey: publicKey, curve_secretkey: secretKey })

  it('is used when the connection file has keys, whatever carrier is asked for', async () => {
    const { kernel } = await serve(connection, 'zmtp')
    const client = connectKernel(kernel.connection, { carrier: 'zmtp' })
    cleanup(() => client.close())
    await client.open()
    expect(await client.ping(STEP_TIMEOUT_MS)).toBeGreaterThanOrEqual(0)
    const { curve_secretkey: _, ...withoutSecret } = kernel.connection
    const other = connectKernel(withoutSecret)
    cleanup(() => other.close())
    await other.open()
    const { curve_publickey: __, ...plain } = withoutSecret
    const refused = connectKernel(plain, { connectTimeoutMs: 300 })
    await expect(refused.open()).rejects.toMatchObject({ code: expect.stringMatching(/^transport\./) })
  })

  it.skipIf(!available)('works with pyzmq, and refuses it without keys', async () => {
    const { file } = await serve(connection, 'libzmq')
    expect(await python('curve_client.py', file)).toEqual({ encrypted: 'kernel_info_reply', plain: null })
  })
})
