import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { withTimeout } from '@llmspell/base'
import { type Home, llmspellBin, until } from '@llmspell/testkit'
import { WAIT } from './editor.ts'

export interface RawMessage {
  seq: number
  type: string
  event?: string
  command?: string
  request_seq?: number
  success?: boolean
  message?: string
  body?: Record<string, unknown> & { error?: { id: number; format: string } }
}

/** `llmspell dap` with nothing between it and the test but the bytes. */
export class RawAdapter {
  readonly child: ChildProcess
  readonly messages: RawMessage[] = []
  readonly ended: Promise<number | null>
  complaints = ''
  #seq = 0
  #bytes: Buffer = Buffer.alloc(0)

  constructor(home: Home) {
    this.child = spawn(process.execPath, [llmspellBin(), 'dap'], { cwd: home.dir, env: home.env, stdio: ['pipe', 'pipe', 'pipe'] })
    this.ended = once(this.child, 'close').then(([code]) => code as number | null)
    this.child.stdin?.on('error', () => {}) // it may end while we write
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.complaints += text))
    this.child.stdout?.on('data', (chunk: Buffer) => this.#read(chunk))
  }

  write(bytes: string | Uint8Array): void {
    this.child.stdin?.write(bytes)
  }

  frame(command: unknown, args?: unknown): { bytes: Buffer; seq: number } {
    const seq = ++this.#seq
    const body = Buffer.from(JSON.stringify({ seq, type: 'request', command, arguments: args }))
    return { bytes: Buffer.concat([Buffer.from(`Content-Length: ${body.length}\r\n\r\n`), body]), seq }
  }

  send(command: unknown, args?: unknown): number {
    const { bytes, seq } = this.frame(command, args)
    this.write(bytes)
    return seq
  }

  answer(seq: number): Promise<RawMessage> {
    const own = (message: RawMessage): boolean => message.type === 'response' && message.request_seq === seq
    return until(`the answer to request ${seq}`, () => this.messages.find(own), WAIT).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.complaints}\n${JSON.stringify(this.messages.slice(-5))}`, { cause: error })
    })
  }

  ask(command: unknown, args?: unknown): Promise<RawMessage> {
    return this.answer(this.send(command, args))
  }

  async stop(): Promise<number | null> {
    this.child.stdin?.end()
    return withTimeout(this.ended, WAIT, 'the adapter to end with its standard input')
  }

  #read(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    for (;;) {
      const end = this.#bytes.indexOf('\r\n\r\n')
      if (end < 0) return
      const length = Number(/Content-Length: (\d+)/.exec(this.#bytes.toString('latin1', 0, end))?.[1])
      if (this.#bytes.length < end + 4 + length) return
      this.messages.push(JSON.parse(this.#bytes.toString('utf8', end + 4, end + 4 + length)) as RawMessage)
      this.#bytes = this.#bytes.subarray(end + 4 + length)
    }
  }
}
