import { LlmspellError } from '@llmspell/base'
import type { CommEvent, EngineHost, EngineOutput, HostCall } from '../engine.ts'

/** An engine host that keeps what it is told; tests replace its fields to answer otherwise. */
export class RecordingHost implements EngineHost {
  readonly outputs: EngineOutput[] = []
  readonly comms: CommEvent[] = []
  readonly logs: { level: string; message: string; fields?: Record<string, unknown> }[] = []
  readonly calls: HostCall[] = []
  readonly prompts: { prompt: string; password: boolean }[] = []
  answer: (call: HostCall) => unknown = () => undefined
  reply: (prompt: string, signal: AbortSignal) => Promise<string | undefined> = async () => undefined
  /** Back-pressure: what `output` returns. */
  gate: Promise<void> | undefined
  #waiting: { check: () => boolean; resolve: () => void }[] = []

  async call(call: HostCall): Promise<unknown> {
    this.calls.push(call)
    this.#changed()
    return await this.answer(call)
  }

  async input(_executionId: string, prompt: string, password: boolean, signal: AbortSignal): Promise<string | undefined> {
    this.prompts.push({ prompt, password })
    this.#changed()
    return await this.reply(prompt, signal)
  }

  output(output: EngineOutput): void | Promise<void> {
    this.outputs.push(output)
    this.#changed()
    return this.gate
  }

  comm(event: CommEvent): void {
    this.comms.push(event)
    this.#changed()
  }

  log(level: 'debug' | 'info' | 'warn' | 'error', message: string, fields?: Record<string, unknown>): void {
    this.logs.push({ level, message, ...(fields && { fields }) })
    this.#changed()
  }

  /** All text of a stream so far, of one execution when given. */
  text(name: 'stdout' | 'stderr' = 'stdout', executionId?: string): string {
    let text = ''
    for (const output of this.outputs) {
      if (output.type === 'stream' && output.name === name && (executionId === undefined || output.executionId === executionId))
        text += output.text
    }
    return text
  }

  /** Waits until the recorded things satisfy `check`; says what it waited for when they do not in time. */
  async until(what: string, check: () => boolean, timeoutMs = 30_000): Promise<void> {
    if (check()) return
    await new Promise<void>((resolve, reject) => {
      const waiter = {
        check,
        resolve: () => {
          clearTimeout(timer)
          resolve()
        },
      }
      const timer = setTimeout(() => {
        this.#waiting = this.#waiting.filter((other) => other !== waiter)
        reject(new LlmspellError(`timed out after ${timeoutMs} ms waiting for ${what}`, { code: 'timeout' }))
      }, timeoutMs)
      this.#waiting.push(waiter)
    })
  }

  #changed(): void {
    for (const waiter of this.#waiting.filter((candidate) => candidate.check())) {
      this.#waiting = this.#waiting.filter((other) => other !== waiter)
      waiter.resolve()
    }
  }
}
