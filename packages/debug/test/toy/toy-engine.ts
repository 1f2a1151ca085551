import { ToyDebugTarget } from './toy-debug-target.ts'
import { parseProgram } from './toy-language.ts'
import { ToyError, ToyMachine } from './toy-machine.ts'

export interface ToyOutcome {
  status: 'ok' | 'error' | 'interrupted'
  error?: string
}

/** Steps between two looks at what else there is to do. */
const BREATH = 256

/** One namespace of the toy language, in this thread, with its debug target. */
export class ToyEngine {
  readonly target: ToyDebugTarget = new ToyDebugTarget(() => this.#machine)
  onOutput: (text: string) => void = () => {}
  #printed = ''
  #machine: ToyMachine
  #interrupted = false
  #lost = false

  constructor() {
    this.#machine = this.#makeMachine()
  }

  get printed(): string {
    return this.#printed
  }

  async run(source: string, code: string): Promise<ToyOutcome> {
    this.#interrupted = false
    this.#lost = false
    let body: ReturnType<typeof parseProgram>
    try {
      body = parseProgram(code)
    } catch (error) {
      return { status: 'error', error: (error as Error).message }
    }
    const { target } = this
    target.loaded(source, code, body)
    const before = target.snapshot(this.#machine.globals)
    let running = this.#machine.run(source, body)
    try {
      for (let step = running.next(); ; step = running.next()) {
        if (step.done) return { status: 'ok' }
        if (this.#machine.steps % BREATH === 0) await new Promise(setImmediate)
        if (this.#interrupted) return { status: 'interrupted' }
        let stop = target.look(step.value)
        while (stop) {
          const goTo = await target.standStill(stop)
          if (this.#interrupted) return { status: 'interrupted' }
          stop = undefined
          if (goTo === undefined) continue
          // The way back: the same again from the start, unheard, up to there.
          running = this.#replay(source, body, target.snapshot(before), goTo)
          stop = target.arrived()
        }
      }
    } catch (error) {
      if (!(error instanceof ToyError)) throw error
      return { status: 'error', error: error.message }
    } finally {
      this.#machine.frames.length = 0
      target.idle()
      if (this.#lost) this.#machine = this.#makeMachine()
    }
  }

  async interrupt(): Promise<void> {
    this.#interrupted = true
    this.target.interrupted()
  }

  /** As when its process has died. */
  async lose(): Promise<void> {
    this.#lost = true
    this.#interrupted = true
    this.target.lost()
    this.#machine.globals.clear()
  }

  #replay(
    source: string,
    body: ReturnType<typeof parseProgram>,
    globals: Map<string, unknown>,
    upTo: number,
  ): ReturnType<ToyMachine['run']> {
    let heard = false
    this.#machine = new ToyMachine((text) => heard && this.#print(text))
    this.#machine.globals = globals
    const running = this.#machine.run(source, body)
    while (this.#machine.steps < upTo) running.next()
    heard = true
    return running
  }

  #makeMachine(): ToyMachine {
    return new ToyMachine((text) => this.#print(text))
  }

  #print(text: string): void {
    this.#printed += text
    this.onOutput(text)
  }
}
