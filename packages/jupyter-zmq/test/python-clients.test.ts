import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type ConnectionInfo, type Message, parseRegistrationFile, Session, serializeConnectionFile } from '@llmspell/jupyter'
import { describe, expect, it } from 'vitest'
import { curveKeyPair } from 'zeromq'
import { type Carrier, connectKernel, type KernelSockets, registerKernel } from '../src/index.ts'
import { bound, cleanup, ipcConnection, STEP_TIMEOUT_MS, tcpConnection, temporaryDirectory, until } from './support/kernel.ts'
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

  it('a peer that sends ZMTP heartbeats is answered and stays', async () => {
    const { file } = await serve(tcpConnection(), carrier)
    expect(await python('pinging_peer.py', file)).toEqual({ answer: 'kernel_info_reply', handshakes: 1, losses: 0 })
  })

  it('a hostile client gets nothing, an authentic one is told what is wrong, and the next request is answered', async () => {
    const { kernel, file } = await serve(tcpConnection(), carrier)
    expect(await python('hostile.py', file)).toEqual([
      ['x_reply', ''],
      ['x_reply', ''],
      ['x_reply', ''],
      ['big_reply', ''],
      ['invented_reply', ''],
      ['kernel_info_reply', 'once'],
      ['kernel_info_reply', 'last'],
    ])
    expect(kernel.dropped).toMatchObject({ 'wire.replayed': 1, 'wire.unsigned': 1, 'wire.too_large': 1 })
    expect(kernel.dropped['wire.bad_signature']).toBe(20_003)
  })
})

describe.skipIf(!available)('a registration', { timeout: PROGRAM_TIMEOUT_MS }, () => {
  async function server(answer: 'ok' | 'error'): Promise<{ port: number; received(): Promise<unknown> }> {
    const child = spawn(PYTHON, ['-W', 'ignore', join(import.meta.dirname, 'python', 'registration_server.py'), 'a key', answer], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const exited = once(child, 'exit')
    cleanup(async () => {
      child.kill('SIGKILL')
      await exited
    })
    let printed = ''
    child.stdout.on('data', (chunk) => {
      printed += chunk
    })
    await until('the port', () => printed.includes('\n'))
    return {
      port: Number(printed.split('\n')[0]),
      async received() {
        await until('the request', () => printed.split('\n').length > 2)
        return JSON.parse(printed.split('\n')[1] as string)
      },
    }
  }

  it('tells the ports that were bound, and waits for the acknowledgement', async () => {
    const { connection } = await bound()
    const { port, received } = await server('ok')
    const registration = parseRegistrationFile(JSON.stringify({ registration_port: port, key: 'a key', kernel_id: 'k' }))
    await registerKernel(registration, connection)
    const { shell_port, iopub_port, stdin_port, control_port, hb_port } = connection
    expect(await received()).toEqual(['handshake_request', { shell_port, iopub_port, stdin_port, control_port, hb_port, kernel_id: 'k' }])
  })

  it('that is refused, or not answered, fails', async () => {
    const { connection } = await bound()
    const { port } = await server('error')
    const registration = parseRegistrationFile(JSON.stringify({ registration_port: port, key: 'a key' }))
    await expect(registerKernel(registration, connection)).rejects.toMatchObject({
      code: 'registration.refused',
      message: expect.stringContaining('unknown kernel'),
    })
    const nobody = { ...registration, registration_port: (await freePorts()).shell_port as number }
    await expect(registerKernel(nobody, connection, 200)).rejects.toMatchObject({ code: 'registration.failed' })
  })
})

const hasIpykernel = spawnSync(PYTHON, ['-c', 'import ipykernel'], { stdio: 'ignore' }).status === 0
if (!hasIpykernel) console.warn(`skipped: a kernel in Python: ${PYTHON} has no ipykernel (apt-get install python3-ipykernel)`)

describe.skipIf(!hasIpykernel).each<Carrier>(['zmtp', 'libzmq'])(
  'a kernel in Python, without iopub_welcome (%s)',
  { timeout: PROGRAM_TIMEOUT_MS },
  (carrier) => {
    it.each(['tcp', 'ipc'] as const)('over %s shows all output of the first request, and its death', async (transport) => {
      const connection = transport === 'tcp' ? tcpConnection(await freePorts()) : ipcConnection(temporaryDirectory())
      const file = join(temporaryDirectory(), 'connection.json')
      writeFileSync(file, serializeConnectionFile(connection), { mode: 0o600 })
      const kernel = spawn(PYTHON, ['-W', 'ignore', '-m', 'ipykernel_launcher', '-f', file], {
        stdio: 'ignore',
        env: { ...process.env, IPYTHONDIR: temporaryDirectory() },
      })
      const exited = once(kernel, 'exit')
      cleanup(async () => {
        kernel.kill('SIGKILL')
        await exited
      })
      const client = connectKernel(connection, { carrier, refusedGraceMs: PROGRAM_TIMEOUT_MS, connectTimeoutMs: PROGRAM_TIMEOUT_MS })
      cleanup(() => client.close())
      const messages: Message[] = []
      client.onMessage((message) => messages.push(message))
      await client.open()
      expect(await client.ping(STEP_TIMEOUT_MS)).toBeGreaterThanOrEqual(0)
      const session = new Session()
      const code = 'import sys\nprint(1, flush=True)\nprint(2, file=sys.stderr)\n3'
      const request = session.create('execute_request', {
        code,
        silent: false,
        store_history: true,
        user_expressions: {},
        allow_stdin: false,
        stop_on_error: true,
      })
      client.send('shell', request)
      const own = (): Message[] => messages.filter((message) => message.parent_header.msg_id === request.header.msg_id)
      await until('the idle status', () => own().some((message) => message.content['execution_state'] === 'idle'))
      const kinds = own()
        .filter((message) => message.channel === 'iopub')
        .map((message) => message.header.msg_type)
      expect([kinds[0], kinds[1], kinds.at(-1)]).toEqual(['status', 'execute_input', 'status'])
      expect(kinds.filter((kind) => kind === 'stream')).toHaveLength(2)
      await until('the reply', () => own().some((message) => message.header.msg_type === 'execute_reply'))
      kernel.kill('SIGKILL')
      expect(await client.closed).toMatchObject({ code: 'transport.lost' })
    })
  },
)

/** Ports that nothing listens on; below those that systems give to outgoing connections, of which one may come before the kernel does. */
async function freePorts(): Promise<Partial<ConnectionInfo>> {
  const ports: number[] = []
  while (ports.length < 5) {
    const port = 15_000 + Math.floor(Math.random() * 15_000)
    const server = createServer().listen(port, '127.0.0.1')
    const free = await once(server, 'listening').then(
      () => true,
      () => false,
    )
    if (!free) continue
    await once(server.close(), 'close')
    if (!ports.includes(port)) ports.push(port)
  }
  const [shell_port, iopub_port, stdin_port, control_port, hb_port] = ports as [number, number, number, number, number]
  return { shell_port, iopub_port, stdin_port, control_port, hb_port }
}

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
