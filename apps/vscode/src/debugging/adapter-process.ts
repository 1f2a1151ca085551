import { type ChildProcess, spawn } from 'node:child_process'
import { deferred, Emitter, LlmspellError, messageOf } from '@llmspell/base'
import { type Dap, type MessageStream, messageStream } from '@llmspell/dap'
import { nodeStream } from '@llmspell/dap/node'
import type { Command } from '../command/find-command.ts'

/** Changes what passes between an editor and the adapter. */
export interface MessageFilter {
  /** May ask the adapter first. Messages keep their order. */
  toAdapter(message: Dap.ProtocolMessage, ask: Ask): Promise<Dap.ProtocolMessage>
  toEditor(message: Dap.ProtocolMessage): Dap.ProtocolMessage
}

/** A request of ours, between those of the editor. */
export type Ask = (command: string, args: object) => Promise<unknown>

export interface AdapterOptions {
  readonly cwd?: string
  readonly env: NodeJS.ProcessEnv
  readonly filter?: MessageFilter
  /** What the process says on stderr, line by line. */
  onDiagnostic(line: string): void
}

/** Numbers of our own requests: an editor counts from 1. */
const OWN_SEQ = 1_000_000_000
/** Milliseconds that the process gets to end by itself. */
const END_MS = 5_000
/** Lines of stderr that tell why a process ended. */
const LAST_LINES = 5

/**
 * `llmspell dap` as an adapter inside the extension host. An executable adapter of VS Code's own would end a session without a word when
 * the process cannot start or breaks down: this one answers what is open with the reason.
 */
export class AdapterProcess {
  readonly #sent = new Emitter<Dap.ProtocolMessage>()
  readonly #child: ChildProcess
  readonly #stream: MessageStream
  readonly #filter: MessageFilter | undefined
  /** Requests of the editor that have no answer yet. */
  readonly #open = new Map<number, Dap.Request>()
  readonly #asked = new Map<number, { resolve(body: unknown): void; reject(error: unknown): void }>()
  readonly #lastLines: string[] = []
  #ownSeq = OWN_SEQ
  #queue: Promise<void> = Promise.resolve()
  #initialized = false
  #terminated = false
  #disposed = false
  #over: LlmspellError | undefined

  constructor(command: Command, options: AdapterOptions) {
    this.#filter = options.filter
    this.#child = spawn(command.program, [...command.args, 'dap'], {
      cwd: options.cwd,
      env: options.env,
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
    })
    const { stdin, stdout, stderr } = this.#child
    if (!stdin || !stdout || !stderr) throw new Error('a process without pipes')
    let rest = ''
    stderr.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) this.#diagnose(line, options)
    })
    this.#stream = messageStream(nodeStream(stdout, stdin))
    const read = this.#stream.read((message) => this.#receive(message as Dap.ProtocolMessage))
    this.#child.on('error', (cause) => this.#end(`${command.program} cannot be started: ${messageOf(cause)}`))
    this.#child.on('close', (code, signal) => {
      if (rest) this.#diagnose(rest, options)
      this.#end(`llmspell dap ended with ${signal ?? `exit code ${code}`}`)
    })
    read.catch((error: unknown) => {
      // What is no message cannot be told from what follows it.
      this.#diagnose(messageOf(error), options)
      this.#child.kill()
    })
  }

  /** What the adapter says to the editor. */
  readonly onDidSendMessage = (listener: (message: Dap.ProtocolMessage) => void): { dispose(): void } => this.#sent.on(listener)

  /** Says something to the editor that the adapter did not. */
  emit(event: Dap.Event): void {
    this.#sent.emit(event)
  }

  /** What the editor says. */
  handleMessage(message: Dap.ProtocolMessage): void {
    if (message.type === 'request') this.#open.set(message.seq, message as Dap.Request)
    if (this.#over) {
      this.#failOpen(this.#over)
      return
    }
    const filter = this.#filter
    if (!filter) {
      void this.#stream.send(message)
      return
    }
    this.#queue = this.#queue.then(async () => {
      try {
        await this.#stream.send(await filter.toAdapter(message, this.ask))
      } catch (error) {
        if (message.type === 'request') this.#fail(message as Dap.Request, messageOf(error))
      }
    })
  }

  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    this.#stream.close()
    const hurry = setTimeout(() => this.#child.kill(), END_MS)
    this.#child.once('exit', () => clearTimeout(hurry))
  }

  /** Rejects when the adapter refuses it or ends. The editor does not see it. */
  readonly ask: Ask = (command, args) => {
    if (this.#over) return Promise.reject(this.#over)
    const answer = deferred<unknown>()
    const seq = this.#ownSeq++
    this.#asked.set(seq, answer)
    void this.#stream.send({ seq, type: 'request', command, arguments: args } as Dap.Request)
    return answer.promise
  }

  #receive(message: Dap.ProtocolMessage): void {
    if (message.type === 'response') {
      const response = message as Dap.Response
      const asked = this.#asked.get(response.request_seq)
      if (asked) {
        this.#asked.delete(response.request_seq)
        if (response.success) asked.resolve(response.body)
        else asked.reject(new LlmspellError(response.message ?? `${response.command} was refused`, { code: 'vscode.refused' }))
        return
      }
      this.#open.delete(response.request_seq)
      if (response.command === 'initialize') this.#initialized = response.success
    }
    if (message.type === 'event' && (message as Dap.Event).event === 'terminated') this.#terminated = true
    this.#sent.emit(this.#filter?.toEditor(message) ?? message)
  }

  #diagnose(line: string, options: AdapterOptions): void {
    if (line.trim() === '') return
    this.#lastLines.push(line)
    if (this.#lastLines.length > LAST_LINES) this.#lastLines.shift()
    options.onDiagnostic(line)
  }

  #end(reason: string): void {
    if (this.#over) return
    this.#over = new LlmspellError([reason, ...this.#lastLines].join('\n'), { code: 'vscode.adapter_ended' })
    for (const { reject } of this.#asked.values()) reject(this.#over)
    this.#asked.clear()
    if (this.#disposed) return
    this.#failOpen(this.#over)
    if (this.#initialized && !this.#terminated) this.#sent.emit({ seq: 0, type: 'event', event: 'terminated' } as Dap.ProtocolMessage)
  }

  #failOpen(reason: LlmspellError): void {
    for (const request of [...this.#open.values()]) {
      // To leave what is gone is no failure.
      if (request.command === 'disconnect' || request.command === 'terminate') this.#answer(request, { success: true })
      else this.#fail(request, reason.message)
    }
  }

  #fail(request: Dap.Request, message: string): void {
    this.#answer(request, {
      success: false,
      message,
      body: { error: { id: 1, format: '{reason}', variables: { reason: message }, showUser: true } },
    })
  }

  #answer(request: Dap.Request, answer: object): void {
    this.#open.delete(request.seq)
    this.#sent.emit({ seq: 0, type: 'response', request_seq: request.seq, command: request.command, ...answer } as Dap.ProtocolMessage)
  }
}
