import type { Clock, Logger } from '@llmspell/base'
import type { DebuggedEngine, DebugHost } from '../debug-host.ts'
import type { DebugTargetEvent } from '../debug-target.ts'
import type { EngineLink, EngineMember } from '../engine-link.ts'

/** A message of the Debug Adapter Protocol as JSON holds it. */
export type DapMessage = { seq: number; type: string } & Record<string, unknown>

/** How a session reaches its client. */
export interface SessionCarrier {
  /** `jupyter`: one session for all Jupyter clients of a kernel, on its control channel; it outlives `disconnect`. */
  kind: 'dap' | 'jupyter'
  /** Events, and responses of requests that came without a `respond` of their own. Called in order; the message is the carrier's to keep. */
  send(message: DapMessage): void
  /** The last word is said: the connection can be closed. Never called for `jupyter`. */
  close?(): void
}

/** What a session needs of its coordinator. */
export interface SessionPorts {
  host: DebugHost
  logger: Logger
  clock: Clock
  links(): EngineLink[]
  linkTo(engine: DebuggedEngine): EngineLink
  nextBreakpointId(): number
  attachedChanged(attached: boolean): void
  closed(): void
}

/** A conversation with one debugger: messages in, messages out, no I/O. Made by `DebugCoordinator.createSession`. */
export class DebugSession implements EngineMember {
  readonly #carrier: SessionCarrier
  readonly #ports: SessionPorts
  #seq = 0

  constructor(carrier: SessionCarrier, ports: SessionPorts) {
    this.#carrier = carrier
    this.#ports = ports
  }

  /** The client as it names itself. */
  get name(): string {
    return 'a debugger'
  }

  /** True between the answer of attach or launch and the end. */
  get attached(): boolean {
    return false
  }

  /**
   * A message of the client, parsed. Never throws: what is no request is answered with an error where it can be, else dropped.
   * `respond` gets the response (of `debug_request`: the content of its `debug_reply`); without it the carrier's `send` does.
   */
  receive(message: unknown, respond: (response: DapMessage) => void = this.#carrier.send): void {
    const { seq, command } = message as { seq: number; command: string }
    respond({ seq: ++this.#seq, type: 'response', request_seq: seq, command, success: false, message: `'${command}' is not known here` })
  }

  /** The client is gone. `disconnected`: it said so (`disconnect`), which this session has seen itself; `vanished`: without a word. */
  closed(reason: 'disconnected' | 'vanished'): void {
    if (reason === 'vanished') this.#ports.closed()
  }

  /** The kernel ends. */
  dispose(): void {
    this.#ports.closed()
  }

  engineAdded(_link: EngineLink): void {}
  executionStarted(_link: EngineLink): void {}
  executionEnded(_link: EngineLink, _executionId: string): void {}
  output(_link: EngineLink, _executionId: string, _name: 'stdout' | 'stderr', _text: string): void {}

  engineEvent(_link: EngineLink, _event: DebugTargetEvent): void {}
  async takeControl(_link: EngineLink): Promise<void> {}
  async giveUpControl(_link: EngineLink): Promise<void> {}
  engineGone(_link: EngineLink): void {}
}
