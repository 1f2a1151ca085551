import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import { withTimeout } from '@llmspell/base'
import { type Dap, DapClient } from '@llmspell/dap'
import { nodeStream } from '@llmspell/dap/node'
import { COMMAND_MS, type Home } from './home.ts'

const BIN = fileURLToPath(new URL('../../bin/llmspell.js', import.meta.url))

/** An editor, with what it was told. */
export class Editor {
  readonly client: DapClient
  readonly events: Dap.Event[] = []

  constructor(stream: ReturnType<typeof nodeStream>) {
    this.client = new DapClient(stream)
    this.client.onEvent((event) => this.events.push(event))
  }

  static async connect(address: { path: string } | { port: number }): Promise<Editor> {
    const socket = connect(address)
    await withTimeout(once(socket, 'connect'), COMMAND_MS, 'a connection to `llmspell dap --listen`')
    return new Editor(nodeStream(socket, socket))
  }

  /** As editors begin; resolves when launch or attach was answered. */
  async begin(request: 'launch' | 'attach', args: Record<string, unknown>, source?: { path: string; lines: number[] }): Promise<void> {
    const { client } = this
    await client.request('initialize', {
      adapterID: 'llmspell',
      clientID: 'test',
      linesStartAt1: true,
      columnsStartAt1: true,
      pathFormat: 'path',
    })
    const begun = client.request(request, args)
    await Promise.race([client.waitFor('initialized', { timeoutMs: COMMAND_MS }), begun])
    if (source)
      await client.request('setBreakpoints', { source: { path: source.path }, breakpoints: source.lines.map((line) => ({ line })) })
    await client.request('configurationDone')
    await begun
  }

  stopped(): Promise<Dap.StoppedEventBody> {
    return this.client.waitFor('stopped', { timeoutMs: COMMAND_MS })
  }

  terminated(): Promise<unknown> {
    return this.client.waitFor('terminated', { timeoutMs: COMMAND_MS })
  }

  count(event: string): number {
    return this.events.filter((one) => one.event === event).length
  }

  printed(category: string): string {
    return this.events
      .filter((one) => one.event === 'output' && (one.body as Dap.OutputEventBody).category === category)
      .map((one) => (one.body as Dap.OutputEventBody).output)
      .join('')
  }
}

/** `llmspell dap` as an editor starts it. */
export class Adapter {
  readonly child: ChildProcess
  readonly editor: Editor
  stderr = ''
  readonly exited: Promise<number | null>

  constructor(home: Home, env: Record<string, string> = {}) {
    const child = spawn(process.execPath, [BIN, 'dap'], {
      cwd: home.directory,
      env: { ...home.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.child = child
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    const ended = once(child, 'exit').then(([code]) => code as number | null)
    this.exited = withTimeout(ended, COMMAND_MS, 'the end of `llmspell dap`')
    this.exited.catch(() => child.kill('SIGKILL'))
    this.editor = new Editor(nodeStream(child.stdout, child.stdin))
  }
}

/** `llmspell dap --listen`. */
export class Listener {
  readonly child: ChildProcess
  readonly address: Promise<{ transport: string; host?: string; port?: number; path?: string; token?: string }>
  readonly exited: Promise<number | null>
  stderr = ''

  constructor(home: Home, target: string, env: Record<string, string> = {}) {
    const child = spawn(process.execPath, [BIN, 'dap', '--listen', target], { cwd: home.directory, env: { ...home.env, ...env } })
    this.child = child
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    const ended = once(child, 'exit').then(([code]) => code as number | null)
    this.exited = withTimeout(ended, COMMAND_MS, 'the end of `llmspell dap --listen`')
    this.exited.catch(() => child.kill('SIGKILL'))
    let line = ''
    this.address = withTimeout(
      new Promise((resolve, reject) => {
        child.stdout.setEncoding('utf8').on('data', (text: string) => {
          line += text
          if (line.includes('\n')) resolve(JSON.parse(line))
        })
        void this.exited.then((code) => reject(new Error(`it ended with ${code}: ${this.stderr}`)))
      }),
      COMMAND_MS,
      'the address of `llmspell dap --listen`',
    )
    this.address.catch(() => {})
  }

  async stop(): Promise<number | null> {
    this.child.kill('SIGTERM')
    return this.exited
  }
}
