import type { Interface } from 'node:readline'
import type { Context } from '../context.ts'

export interface Question {
  prompt: string
  password: boolean
}

/** Answers scripts that read a line. */
export interface Input {
  ask(question: Question, signal: AbortSignal): Promise<string>
  close(): void
}

/** How Jupyter clients tell a kernel that there is no more input. */
export const END_OF_INPUT = '\x04'

/** From this program's stdin, which is opened at the first question: a line typed at a terminal, or the next one of a pipe. */
export function createInput(context: Context): Input {
  return new StdinInput(context)
}

/** For code that itself came through stdin. */
export const noInput: Input = { ask: () => Promise.resolve(END_OF_INPUT), close() {} }

/** All of stdin, for code that comes through it. */
export async function readAll(stdin: NodeJS.ReadStream): Promise<string> {
  const { text } = await import('node:stream/consumers')
  return text(stdin)
}

class StdinInput implements Input {
  readonly #context: Context
  #lines: AsyncIterator<string> | undefined
  #reader: Interface | undefined

  constructor(context: Context) {
    this.#context = context
  }

  ask(question: Question, signal: AbortSignal): Promise<string> {
    return this.#context.terminal.stdin.isTTY ? this.#type(question, signal) : this.#nextLine(question)
  }

  close(): void {
    this.#reader?.close()
    // An open pipe would hold the process.
    if (this.#reader) this.#context.terminal.stdin.destroy()
  }

  /** The prompt goes to stderr, so that stdout holds what the script wrote and nothing else. */
  async #type({ prompt, password }: Question, signal: AbortSignal): Promise<string> {
    const { createInterface } = await import('node:readline')
    const { stdin, stderr } = this.#context.terminal
    return new Promise((resolve, reject) => {
      const reader = createInterface({ input: stdin, output: stderr, terminal: true, historySize: 0 })
      if (password) hideTyping(reader)
      let answered = false
      reader.on('SIGINT', () => process.emit('SIGINT'))
      reader.on('close', () => {
        if (!answered) resolve(END_OF_INPUT)
      })
      signal.addEventListener('abort', () => {
        if (answered) return
        answered = true
        reader.close()
        stderr.write('\n')
        reject(signal.reason as Error)
      })
      reader.question(prompt, (line) => {
        answered = true
        reader.close()
        resolve(line)
      })
    })
  }

  async #nextLine({ prompt }: Question): Promise<string> {
    this.#context.terminal.note(prompt)
    const { createInterface } = await import('node:readline')
    this.#reader ??= createInterface({ input: this.#context.terminal.stdin, crlfDelay: Number.POSITIVE_INFINITY })
    this.#lines ??= this.#reader[Symbol.asyncIterator]()
    const next = await this.#lines.next()
    return next.done ? END_OF_INPUT : next.value
  }
}

/** readline echoes each key through this method; the prompt itself is written before the first. */
function hideTyping(reader: Interface): void {
  const writer = reader as unknown as { _writeToOutput(text: string): void; output: NodeJS.WritableStream }
  let prompted = false
  writer._writeToOutput = (text) => {
    if (!prompted || /^[\r\n]+$/.test(text)) writer.output.write(text)
    prompted = true
  }
}
