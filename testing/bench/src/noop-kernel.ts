/**
 * A kernel that does nothing: what the client, the sockets, JSON and the signatures cost by themselves.
 * Understands `lines N` and `bytes N` (N blocks of 64 KiB); every other cell has the result 2.
 */
import { createHmac, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Publisher, Reply, Router } from 'zeromq'

interface Header {
  msg_id: string
  msg_type: string
  session: string
}

const connection = JSON.parse(readFileSync(String(process.argv[2]), 'utf8')) as Record<string, string | number>
const address = (channel: string): string => `tcp://${connection.ip}:${connection[`${channel}_port`]}`
const session = randomUUID()
const options = { linger: 0, sendHighWaterMark: 0 }
const iopub = new Publisher(options)
const shell = new Router(options)
const control = new Router(options)
const stdin = new Router(options)
const heartbeat = new Reply({ linger: 0 })
await Promise.all(Object.entries({ iopub, shell, control, stdin, hb: heartbeat }).map(([channel, socket]) => socket.bind(address(channel))))

let count = 0
let published: Promise<void> = Promise.resolve()

function frames(type: string, content: unknown, parent: Buffer): Buffer[] {
  const header = {
    msg_id: `${session}_${++count}`,
    msg_type: type,
    session,
    username: 'kernel',
    date: new Date().toISOString(),
    version: '5.3',
  }
  const parts = [Buffer.from(JSON.stringify(header)), parent, Buffer.from('{}'), Buffer.from(JSON.stringify(content))]
  const mac = createHmac('sha256', String(connection.key))
  for (const part of parts) mac.update(part)
  return [Buffer.from('<IDS|MSG>'), Buffer.from(mac.digest('hex')), ...parts]
}

function publish(type: string, content: unknown, parent: Buffer): Promise<void> {
  const message = [Buffer.from(type), ...frames(type, content, parent)]
  published = published.then(() => iopub.send(message))
  return published
}

let executions = 0

async function answer(parent: Buffer, content: { code?: string }): Promise<[string, unknown]> {
  const { msg_type: type } = JSON.parse(parent.toString()) as Header
  if (type === 'kernel_info_request') {
    const languageInfo = { name: 'none', version: '1', mimetype: 'text/plain', file_extension: '.txt' }
    return [
      'kernel_info_reply',
      {
        status: 'ok',
        protocol_version: '5.3',
        implementation: 'noop',
        implementation_version: '1',
        language_info: languageInfo,
        banner: '',
      },
    ]
  }
  if (type === 'complete_request') return ['complete_reply', { status: 'ok', matches: [], cursor_start: 0, cursor_end: 0, metadata: {} }]
  if (type !== 'execute_request') return [type.replace('request', 'reply'), { status: 'ok' }]
  executions++
  void publish('execute_input', { code: content.code, execution_count: executions }, parent)
  const [word, amount] = (content.code ?? '').split(' ')
  if (word === 'lines') for (let i = 0; i < Number(amount); i++) void publish('stream', { name: 'stdout', text: `${i}\n` }, parent)
  else if (word === 'bytes') {
    const text = `${'x'.repeat(65535)}\n`
    for (let i = 0; i < Number(amount); i++) void publish('stream', { name: 'stdout', text }, parent)
  } else void publish('execute_result', { data: { 'text/plain': '2' }, metadata: {}, execution_count: executions }, parent)
  return ['execute_reply', { status: 'ok', execution_count: executions, user_expressions: {} }]
}

async function serve(socket: Router): Promise<void> {
  for await (const [identity, , , header, , , content] of socket) {
    if (!identity || !header || !content) continue
    void publish('status', { execution_state: 'busy' }, header)
    const [type, reply] = await answer(header, JSON.parse(content.toString()) as { code?: string })
    await socket.send([identity, ...frames(type, reply, header)])
    await publish('status', { execution_state: 'idle' }, header)
  }
}

async function echo(): Promise<void> {
  for await (const message of heartbeat) await heartbeat.send(message)
}

process.on('SIGTERM', () => process.exit(0))
await Promise.all([serve(shell), serve(control), echo()])
