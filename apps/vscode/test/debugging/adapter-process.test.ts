import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { withTimeout } from '@llmspell/base'
import type { Dap } from '@llmspell/dap'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { AdapterProcess, type MessageFilter } from '../../src/debugging/adapter-process.ts'

const WAIT_MS = 20_000

/** An adapter that tells what it was asked, and ends as it is told. */
const ADAPTER = `
let buffer = Buffer.alloc(0)
const send = (message) => {
  const body = Buffer.from(JSON.stringify({ seq: 1, ...message }))
  process.stdout.write(\`Content-Length: \${body.length}\\r\\n\\r\\n\`)
  process.stdout.write(body)
}
if (process.argv[2] === 'silent') { console.error('first'); console.error('no kernel today'); process.exit(3) }
process.stdin.on('data', (chunk) => {
  buffer = Buffer.concat([buffer, chunk])
  for (;;) {
    const end = buffer.indexOf('\\r\\n\\r\\n')
    if (end < 0) return
    const length = Number(/Content-Length: (\\d+)/.exec(buffer.subarray(0, end))[1])
    if (buffer.length < end + 4 + length) return
    const request = JSON.parse(buffer.subarray(end + 4, end + 4 + length))
    buffer = buffer.subarray(end + 4 + length)
    if (request.command === 'die') { console.error('broken'); process.exit(1) }
    if (request.command === 'babble') { process.stdout.write('hello\\n'); continue }
    if (request.command === 'wait') continue
    const { seq, command } = request
    send({ type: 'response', request_seq: seq, command, success: command !== 'refuse', message: 'refused', body: { request } })
  }
})
process.stdin.on('end', () => process.exit(0))
`

let folder: string
let adapters: AdapterProcess[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'adapter-'))
  writeFileSync(join(folder, 'adapter.cjs'), ADAPTER)
  adapters = []
})
afterEach(() => {
  for (const adapter of adapters) adapter.dispose()
  rmSync(folder, { recursive: true, force: true })
})

interface Started {
  adapter: AdapterProcess
  diagnostics: string[]
  request(seq: number, command: string, args?: object): void
  /** The next messages that pass, in order. */
  next(count: number): Promise<Dap.ProtocolMessage[]>
}

function start(options: { program?: string; mode?: string; filter?: MessageFilter } = {}): Started {
  const diagnostics: string[] = []
  const seen: Dap.ProtocolMessage[] = []
  let told = (): void => {}
  const script = join(folder, 'adapter.cjs')
  const args = options.mode === undefined ? [script] : [script, options.mode]
  const command = { program: options.program ?? process.execPath, args, origin: 'setting' as const }
  const adapter = new AdapterProcess(command, {
    env: process.env,
    onDiagnostic: (line) => diagnostics.push(line),
    ...(options.filter && { filter: options.filter }),
  })
  adapters.push(adapter)
  adapter.onDidSendMessage((message) => {
    seen.push(message)
    told()
  })
  return {
    adapter,
    diagnostics,
    request: (seq, command, args = {}) => adapter.handleMessage({ seq, type: 'request', command, arguments: args } as Dap.ProtocolMessage),
    async next(count) {
      const enough = new Promise<void>((resolve) => {
        told = () => seen.length >= count && resolve()
        told()
      })
      await withTimeout(enough, WAIT_MS, `${count} messages of the adapter (${JSON.stringify(seen)})`)
      return seen.splice(0, count)
    },
  }
}

test('messages pass in both directions', async () => {
  const { request, next } = start()
  request(1, 'initialize', { adapterID: 'llmspell' })
  request(2, 'refuse')
  expect(await next(2)).toMatchObject([
    { request_seq: 1, success: true, body: { request: { arguments: { adapterID: 'llmspell' } } } },
    { request_seq: 2, success: false, message: 'refused' },
  ])
})

test('a program that is not there answers the request with what failed', async () => {
  const { request, next } = start({ program: '/nowhere/llmspell' })
  request(1, 'initialize')
  const [answer] = await next(1)
  expect(answer).toMatchObject({ request_seq: 1, success: false, message: expect.stringContaining('/nowhere/llmspell cannot be started') })
})

test('a process that ends before it answers gives the reason that it printed', async () => {
  const { request, next, diagnostics } = start({ mode: 'silent' })
  request(1, 'initialize')
  const [answer] = await next(1)
  expect((answer as Dap.Response).message).toBe('llmspell dap ended with exit code 3\nfirst\nno kernel today')
  expect(answer).toMatchObject({ success: false, body: { error: { showUser: true } } })
  expect(diagnostics).toEqual(['first', 'no kernel today'])
})

test('a session whose process dies is over, and may be left', async () => {
  const { request, next } = start()
  request(1, 'initialize')
  await next(1)
  request(2, 'wait')
  request(3, 'die')
  const [second, third, terminated] = await next(3)
  expect([second, third]).toMatchObject([
    { request_seq: 2, success: false },
    { request_seq: 3, success: false, message: expect.stringContaining('broken') },
  ])
  expect(terminated).toMatchObject({ type: 'event', event: 'terminated' })
  request(4, 'disconnect')
  expect(await next(1)).toMatchObject([{ request_seq: 4, success: true }])
})

test('what is no message ends the session instead of hanging it', async () => {
  const { request, next } = start()
  request(1, 'initialize')
  await next(1)
  request(2, 'babble')
  expect(await next(2)).toMatchObject([{ request_seq: 2, success: false }, { event: 'terminated' }])
})

test('a filter may ask the adapter, unseen by the editor, and keeps the order', async () => {
  const filter: MessageFilter = {
    async toAdapter(message, ask) {
      if ((message as Dap.Request).command !== 'slow') return message
      const { request } = (await ask('own', { a: 1 })) as { request: { arguments: object } }
      return { ...message, arguments: request.arguments } as Dap.ProtocolMessage
    },
    toEditor: (message) => message,
  }
  const { request, next } = start({ filter })
  request(1, 'slow')
  request(2, 'fast')
  expect(await next(2)).toMatchObject([{ request_seq: 1, body: { request: { arguments: { a: 1 } } } }, { request_seq: 2 }])
})

test('a request that the filter cannot prepare is answered with the reason', async () => {
  const filter: MessageFilter = {
    toAdapter: async (_, ask) => (await ask('refuse', {})) as Dap.ProtocolMessage,
    toEditor: (message) => message,
  }
  const { request, next } = start({ filter })
  request(1, 'setBreakpoints')
  expect(await next(1)).toMatchObject([{ request_seq: 1, success: false, message: 'refused' }])
})
