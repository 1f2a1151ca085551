import { silentLogger, withTimeout } from '@llmspell/base'
import { type ClientTransport, createMemoryTransport, type KernelRecord, type Message, Session } from '@llmspell/jupyter'
import { echoEngineFactory } from '@llmspell/script/echo'
import { onTestFinished } from 'vitest'
import { type CreateKernelOptions, createKernel, type Kernel, MemoryHistoryStore } from '../../src/index.ts'

/** Milliseconds until a test gives up on an answer; generous, for loaded machines. */
export const ANSWER = 20_000

export const RECORD: KernelRecord = {
  id: 'test',
  pid: process.pid,
  startTime: '0',
  version: '0.1.0',
  language: 'lua',
  cwd: '/',
  startedAt: '2026-01-01T00:00:00.000Z',
  startedBy: 'daemon',
  idleTimeout: 0,
}

export interface TestKernel {
  kernel: Kernel
  /** Calls that reached the host. */
  calls: { name: string; args: unknown[]; session: string; executionId: string }[]
  connect(): Promise<TestClient>
}

/** A started kernel with echo engines over the in-memory transport; stopped at the end of the test. */
export async function testKernel(options: Partial<CreateKernelOptions> = {}): Promise<TestKernel> {
  const [transport, connect] = createMemoryTransport()
  const calls: TestKernel['calls'] = []
  const kernel = createKernel({
    transport,
    engines: [echoEngineFactory(['lua']), echoEngineFactory(['javascript', 'typescript'])],
    defaultLanguage: 'lua',
    call: async ({ name, args, session, executionId }) => {
      calls.push({ name, args, session, executionId })
      return args
    },
    history: new MemoryHistoryStore(),
    record: RECORD,
    owned: false,
    cwd: '/',
    env: {},
    logger: silentLogger,
    ...options,
  })
  await kernel.start()
  onTestFinished(() => kernel.stop('test_end'))
  return {
    kernel,
    calls,
    async connect() {
      const client = new TestClient(connect())
      await client.open()
      return client
    },
  }
}

type Channel = 'shell' | 'control' | 'stdin'

/** A client that keeps everything it receives. */
export class TestClient {
  readonly session: Session = new Session()
  readonly messages: Message[] = []
  readonly #transport: ClientTransport
  readonly #watchers = new Set<() => void>()

  constructor(transport: ClientTransport) {
    this.#transport = transport
    transport.onMessage((message) => {
      this.messages.push(message)
      for (const watcher of [...this.#watchers]) watcher()
    })
  }

  open(): Promise<void> {
    return this.#transport.open()
  }

  close(): Promise<void> {
    return this.#transport.close()
  }

  /** Sends and gives the msg_id. */
  send(channel: Channel, type: string, content: object = {}, metadata: Record<string, unknown> = {}, parent?: Message): string {
    const message = this.session.createRaw(type, channel, content, { metadata, ...(parent && { parent }) })
    this.#transport.send(channel, message)
    return message.header.msg_id
  }

  sendMessage(message: Message<object>): void {
    this.#transport.send(message.channel as Channel, message)
  }

  /** Sends and waits for reply and idle. */
  async request(channel: Channel, type: string, content: object = {}, metadata: Record<string, unknown> = {}): Promise<Message> {
    return this.done(this.send(channel, type, content, metadata))
  }

  execute(code: string, content: object = {}, metadata: Record<string, unknown> = {}): Promise<Message> {
    return this.request('shell', 'execute_request', { code, ...content }, metadata)
  }

  sendExecute(code: string, content: object = {}, metadata: Record<string, unknown> = {}): string {
    return this.send('shell', 'execute_request', { code, ...content }, metadata)
  }

  /** The reply to a request, once idle has come too. */
  async done(id: string): Promise<Message> {
    const reply = await this.find(
      `the reply to ${id}`,
      (message) => message.parent_header.msg_id === id && message.channel !== 'iopub' && message.channel !== 'stdin',
    )
    await this.idle(id)
    return reply
  }

  idle(id: string): Promise<Message> {
    return this.find(
      `idle of ${id}`,
      ({ parent_header, header, content }) =>
        parent_header.msg_id === id && header.msg_type === 'status' && content['execution_state'] === 'idle',
    )
  }

  /** Waits for a message of this type that answers the request (any request when not given). */
  next(type: string, parent?: string): Promise<Message> {
    return this.find(
      `${type} of ${parent ?? 'any request'}`,
      (message) => message.header.msg_type === type && (parent === undefined || message.parent_header.msg_id === parent),
    )
  }

  find(what: string, match: (message: Message) => boolean): Promise<Message> {
    return withTimeout(
      new Promise<Message>((resolve) => {
        const look = (): void => {
          const found = this.messages.find(match)
          if (!found) return
          this.#watchers.delete(look)
          resolve(found)
        }
        this.#watchers.add(look)
        look()
      }),
      ANSWER,
      what,
    )
  }

  /** What IOPub carried for a request, one line a message. */
  published(id: string): string[] {
    return this.messages.filter((message) => message.channel === 'iopub' && message.parent_header.msg_id === id).map(line)
  }

  replies(id: string): Message[] {
    return this.messages.filter(
      (message) => message.channel !== 'iopub' && message.channel !== 'stdin' && message.parent_header.msg_id === id,
    )
  }
}

function line({ header, content }: Message): string {
  switch (header.msg_type) {
    case 'status':
      return String(content['execution_state'])
    case 'stream':
      return `${content['name']} ${JSON.stringify(content['text'])}`
    case 'execute_input':
      return `input [${content['execution_count']}] ${content['code']}`
    case 'execute_result':
      return `result [${content['execution_count']}] ${JSON.stringify(content['data'])}`
    case 'error':
      return `error ${content['ename']}: ${content['evalue']}`
    default:
      return `${header.msg_type} ${JSON.stringify(content)}`
  }
}
