import { OutputBuffer, type OutputItem } from '../host/output-buffer.ts'
import type { WorkerChannel } from './worker-channel.ts'

const NEWLINE = 10

/** Lines on standard error closer together than this are joined. */
const ERROR_BATCH_MS = 5

/** What output needs of its namespace. */
export interface OutputContext {
  executionId(): string
  /** Empties the C library's buffer of standard output, by way of `write`. */
  flushLibrary(): void
  isInterrupted(): boolean
  /** Serves what has arrived from the kernel. */
  receive(): void
}

/**
 * The worker's end of the output. Standard output waits in the C library, the rest here: it goes out when a batch is full, before
 * the script waits for anything, when the kernel asks for it, and at the end of the run.
 */
export class ScriptOutput {
  readonly #channel: WorkerChannel
  readonly #context: OutputContext
  readonly #buffer: OutputBuffer
  #lastError = 0
  /** In the midst of a write of the C library: its buffer must be left alone. */
  #writing = false

  constructor(channel: WorkerChannel, context: OutputContext) {
    this.#channel = channel
    this.#context = context
    this.#buffer = new OutputBuffer((items, size) => {
      channel.postOutput({ type: 'output', executionId: context.executionId(), items, size })
      this.#stall()
    })
  }

  /** Bytes from the C library. */
  write(stream: 'stdout' | 'stderr', bytes: Uint8Array): void {
    const outer = this.#writing
    this.#writing = true
    try {
      this.#buffer.write(stream, bytes)
      // Standard output comes in large pieces or when it is wanted; every little write to standard error comes by itself.
      if (stream === 'stdout' || (bytes.at(-1) === NEWLINE && this.#isErrorPause())) this.#buffer.flush()
      this.#channel.outputPending = this.#buffer.pending
    } finally {
      this.#writing = outer
    }
  }

  writeText(stream: 'stdout' | 'stderr', text: string): void {
    this.#flushLibrary()
    this.#buffer.writeText(stream, text)
    this.#channel.outputPending = true
  }

  push(item: OutputItem, size: number): void {
    this.#flushLibrary()
    this.#buffer.push(item, size)
    this.#channel.outputPending = true
  }

  flush(): void {
    this.#flushLibrary()
    this.#buffer.flush()
    this.#channel.outputPending = false
  }

  /** The run is over. */
  end(): void {
    this.#context.flushLibrary()
    this.#buffer.end()
    this.#channel.outputPending = false
  }

  #flushLibrary(): void {
    if (!this.#writing) this.#context.flushLibrary()
  }

  #isErrorPause(): boolean {
    const before = this.#lastError
    this.#lastError = performance.now()
    return this.#lastError - before > ERROR_BATCH_MS
  }

  /** More output is under way than the kernel takes: the script waits, wherever it is. An interrupt lets it go on to its end. */
  #stall(): void {
    while (this.#channel.isStalled && !this.#context.isInterrupted()) {
      const sequence = this.#channel.sequence
      this.#context.receive()
      if (this.#channel.isStalled && !this.#context.isInterrupted()) this.#channel.sleep(sequence)
    }
  }
}
