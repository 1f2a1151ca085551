import type { Clock } from '@llmspell/base'
import type { Header, Peer } from '@llmspell/jupyter'
import type { EngineOutput } from '@llmspell/script'
import type { Debugging } from '../debugging/debugging.ts'
import type { BackPressure } from '../iopub/back-pressure.ts'
import type { Publisher } from '../iopub/publisher.ts'
import { StreamBuffer, type StreamName } from '../iopub/stream-buffer.ts'
import type { EngineSlot } from './engine-pool.ts'
import type { Execution } from './execution.ts'
import type { Origin, Origins } from './origins.ts'

/** Gives what scripts emit its parent and puts it on IOPub, in order, joined where small, held back where nobody reads. */
export class ScriptOutput {
  readonly #publisher: Publisher
  readonly #origins: Origins
  readonly #pressure: BackPressure
  readonly #debugging: Pick<Debugging, 'output'>
  readonly #clock: Clock
  readonly #onLate: () => void
  /** Bytes of output not published because no subscriber took any for longer than the patience. */
  dropped = 0
  /** Output of executions so long gone that their request was forgotten is published without a parent. */
  readonly #unknown: Origin

  constructor(
    publisher: Publisher,
    origins: Origins,
    pressure: BackPressure,
    debugging: Pick<Debugging, 'output'>,
    clock: Clock,
    onLate: () => void,
  ) {
    this.#publisher = publisher
    this.#origins = origins
    this.#pressure = pressure
    this.#debugging = debugging
    this.#clock = clock
    this.#onLate = onLate
    this.#unknown = this.createOrigin(undefined, [], false, undefined)
    this.#unknown.ended = true
  }

  createOrigin(header: Header | undefined, peer: Peer, silent: boolean, execution: Execution | undefined): Origin {
    const stream = new StreamBuffer((name, text) => this.#publishStream(origin, name, text), this.#clock)
    const origin: Origin = { header, peer, silent, stream, execution, ended: false, dropped: 0 }
    return origin
  }

  /** A returned promise is what the script must wait for. */
  accept(slot: EngineSlot, output: EngineOutput): void | Promise<void> {
    if (slot.discarded) return
    const origin = this.#origins.get(output.executionId) ?? this.#unknown
    if (origin.silent) return
    if (origin.ended) this.#onLate()
    if (output.type === 'stream') origin.stream.write(output.name, output.text)
    else {
      origin.stream.flush()
      if (output.type === 'clear') this.#publisher.publish('clear_output', { wait: output.wait }, origin.header)
      else this.#publishDisplay(origin, output)
    }
    const shown = this.#debugging.output(slot, output, origin.execution?.launch)
    const room = both(this.#pressure.wait(), shown)
    if (room) return origin.execution ? untilAborted(room, origin.execution.signal) : room
  }

  /** What was printed before the reply leaves before the reply. */
  finish(origin: Origin): void {
    origin.stream.flush()
    this.#tellDropped(origin)
  }

  #publishStream(origin: Origin, name: StreamName, text: string): void {
    if (this.#pressure.stalled) {
      this.#drop(origin, Buffer.byteLength(text))
      return
    }
    this.#tellDropped(origin)
    this.#publisher.publish('stream', { name, text }, origin.header)
  }

  #publishDisplay(origin: Origin, output: EngineOutput & { type: 'display' }): void {
    const { data, metadata, displayId, update } = output
    if (this.#pressure.stalled) {
      this.#drop(origin, JSON.stringify(data).length)
      return
    }
    this.#tellDropped(origin)
    const transient = displayId === undefined ? {} : { display_id: displayId }
    this.#publisher.publish(update ? 'update_display_data' : 'display_data', { data, metadata, transient }, origin.header)
  }

  #drop(origin: Origin, bytes: number): void {
    origin.dropped += bytes
    this.dropped += bytes
  }

  #tellDropped(origin: Origin): void {
    if (origin.dropped === 0) return
    const text = `[llmspell] ${origin.dropped} bytes of output dropped: no client took any for ${this.#pressure.patience / 1000} s\n`
    origin.dropped = 0
    this.#publisher.publish('stream', { name: 'stderr', text }, origin.header)
  }
}

function both(a: void | Promise<void>, b: void | Promise<void>): void | Promise<void> {
  return a && b ? Promise.all([a, b]).then(() => {}) : (a ?? b)
}

/** Back-pressure must not hold a script that is being interrupted. A cell may wait very often: no listener stays behind. */
function untilAborted(room: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      signal.removeEventListener('abort', done)
      resolve()
    }
    signal.addEventListener('abort', done)
    void room.then(done)
  })
}
