import { isAbsolute } from 'node:path'
import { LlmspellError } from '@llmspell/base'
import type { ContentOf, ExecuteExtension } from '@llmspell/jupyter'
import type { EngineOptions, ExecuteOutcome, Language } from '@llmspell/script'
import type { Envelope } from '../routing/envelope.ts'
import type { EngineSlot } from './engine-pool.ts'

/** What comes with a run that a debugger launched. */
export interface Launch {
  /** Instead of the kernel's. */
  env: EngineOptions['env'] | undefined
  /** The code waits for it. */
  prepare(slot: EngineSlot): Promise<void>
  output(name: 'stdout' | 'stderr', text: string): void
  /** Called once. */
  ended(outcome: ExecuteOutcome): void
}

/** One execute_request on its way through queue and engine. */
export class Execution {
  /** The engine's and the outputs' name for it: the msg_id of its request. */
  readonly id: string
  readonly request: ContentOf<'execute_request'>
  readonly envelope: Envelope
  readonly extension: ExecuteExtension
  readonly launch: Launch | undefined
  state: 'queued' | 'running' | 'ended' = 'queued'
  /** Known once the cell was read. */
  language: Language
  startedAt: string | undefined
  /** What errors call it: a file, or its cell once that has its number. */
  source: string
  /** What debuggers call it when that differs. */
  debugSource: string | undefined
  /** Where it runs, once an engine took it. */
  slot: EngineSlot | undefined
  /** A debugger is being made ready for it: the engine has its code not yet. */
  preparing = false
  /** Resolved to end the execution without waiting for its engine. */
  readonly cut: PromiseWithResolvers<ExecuteOutcome> = Promise.withResolvers()
  /** For the front end that asked, beside the reply. */
  readonly payload: Record<string, unknown>[] = []
  #abort: AbortController | undefined

  constructor(
    id: string,
    request: ContentOf<'execute_request'>,
    envelope: Envelope,
    extension: ExecuteExtension,
    language: Language,
    launch?: Launch,
  ) {
    this.id = id
    this.request = request
    this.envelope = envelope
    this.extension = extension
    this.language = language
    this.launch = launch
    this.source = extension.source ?? 'cell'
  }

  get session(): string {
    return this.envelope.session
  }

  get fresh(): boolean {
    return this.extension.namespace === 'fresh'
  }

  /** Aborted by an interrupt, and when the kernel stops or restarts. Made on demand: most executions never need it. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController()
    return this.#abort.signal
  }

  /** An interrupt on its way to the engine. Until it has arrived the next execution must not start: it could be hit instead. */
  interrupting: Promise<unknown> | undefined

  interrupted(stopped: Promise<void>): Promise<void> {
    this.interrupting = Promise.allSettled([this.interrupting, stopped])
    return stopped
  }

  async interruptsDone(): Promise<void> {
    for (let pending = this.interrupting; pending; pending = this.interrupting) {
      this.interrupting = undefined
      await pending
    }
  }

  abort(reason: LlmspellError): void {
    this.#abort ??= new AbortController()
    this.#abort.abort(reason)
  }
}

/** Reads `metadata.llmspell` of an execute_request; throws with the path of what is wrong. */
export function executeExtension(metadata: Record<string, unknown>): ExecuteExtension {
  const value = metadata['llmspell']
  if (value === undefined) return NO_EXTENSION
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('', 'an object')
  const extension = value as Record<string, unknown>
  const { source, namespace, args, cwd } = extension
  if (source !== undefined && typeof source !== 'string') throw invalid('.source', 'a string')
  if (namespace !== undefined && namespace !== 'shared' && namespace !== 'fresh') throw invalid('.namespace', "'shared' or 'fresh'")
  if (args !== undefined && !(Array.isArray(args) && args.every((arg) => typeof arg === 'string')))
    throw invalid('.args', 'an array of strings')
  if (cwd !== undefined && !(typeof cwd === 'string' && isAbsolute(cwd))) throw invalid('.cwd', 'an absolute path')
  return extension as ExecuteExtension
}

const NO_EXTENSION: ExecuteExtension = {}

function invalid(path: string, expected: string): LlmspellError {
  const where = `metadata.llmspell${path}`
  return new LlmspellError(`${where}: expected ${expected}`, { code: 'kernel.invalid_request', data: { path: where } })
}
