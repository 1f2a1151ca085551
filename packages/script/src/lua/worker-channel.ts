import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { CONTROL, type FromWorker, OUTPUT_WINDOW, type ToWorker } from './protocol.ts'

/** The worker's end of its channels. The worker has no event loop to speak of: it sleeps here, also in the midst of a host call. */
export class WorkerChannel {
  readonly #port: MessagePort
  readonly #control: Int32Array
  #posted = 0

  constructor(port: MessagePort, control: SharedArrayBuffer) {
    this.#port = port
    this.#control = new Int32Array(control)
  }

  post(message: FromWorker): void {
    this.#port.postMessage(message)
  }

  take(): ToWorker | undefined {
    return receiveMessageOnPort(this.#port)?.message as ToWorker | undefined
  }

  /** Read it before looking for what to do, and give it to `sleep`. */
  get sequence(): number {
    return Atomics.load(this.#control, CONTROL.WAKE)
  }

  /** Until the kernel's side does something after `sequence`, at most `ms`. */
  sleep(sequence: number, ms?: number): 'ok' | 'not-equal' | 'timed-out' {
    return Atomics.wait(this.#control, CONTROL.WAKE, sequence, ms)
  }

  isInterrupted(run: number): boolean {
    return Atomics.load(this.#control, CONTROL.INTERRUPTED_RUN) === run
  }

  /** The interrupt was one that no code can catch. */
  isForced(run: number): boolean {
    return Atomics.load(this.#control, CONTROL.FORCED_RUN) === run
  }

  /** Why there was a call for attention, as bits of `REASON`; asked once, forgotten. */
  takeReasons(): number {
    return Atomics.exchange(this.#control, CONTROL.REASONS, 0)
  }

  postOutput(message: FromWorker & { type: 'output' }): void {
    this.#posted = (this.#posted + message.size) | 0
    this.post(message)
  }

  /** More output is under way than the kernel has taken. */
  get isStalled(): boolean {
    return ((this.#posted - Atomics.load(this.#control, CONTROL.TAKEN)) | 0) > OUTPUT_WINDOW
  }

  set outputPending(pending: boolean) {
    Atomics.store(this.#control, CONTROL.OUTPUT_PENDING, pending ? 1 : 0)
  }
}
