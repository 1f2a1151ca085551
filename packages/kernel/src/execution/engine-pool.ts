import { type Clock, codeOf, LlmspellError, type Logger, messageOf, withTimeout } from '@llmspell/base'
import type { EngineFactory, EngineHost, EngineOptions, Language, ScriptEngine } from '@llmspell/script'

/** An engine and what the kernel knows of it. */
export interface EngineSlot {
  /** Never used twice. */
  readonly id: string
  readonly factory: EngineFactory
  readonly engine: ScriptEngine
  /** `spare`: pristine and unassigned. */
  namespace: 'spare' | 'shared' | 'fresh'
  /** False until started; afterwards `whenReady` need not be awaited. */
  ready: boolean
  readonly whenReady: Promise<void>
  /** Its namespace is gone: what the engine still says is not heard. */
  discarded: boolean
  /** Resolves when a discarded engine is gone. */
  whenGone?: Promise<void>
}

export interface EnginePoolOptions {
  factories: readonly EngineFactory[]
  engine: EngineOptions
  host(slot: () => EngineSlot): EngineHost
  onDiscard(slot: EngineSlot): void
  /** Milliseconds a spare is kept unused; 0 keeps none. */
  spareLifetime: number
  clock: Clock
  logger: Logger
}

/** Milliseconds an engine may take to go away before that is logged and no longer waited for. */
const DISPOSE_PATIENCE = 3000

/**
 * All engines of the kernel. A pristine one may stand by for each kind: it becomes the shared namespace or the next fresh run,
 * whichever comes first.
 */
export class EnginePool {
  readonly #options: EnginePoolOptions
  readonly #shared = new Map<EngineFactory, EngineSlot>()
  readonly #spares = new Map<EngineFactory, { slot: EngineSlot; expiry: { cancel(): void } | undefined }>()
  readonly #all = new Set<EngineSlot>()
  #created = 0

  constructor(options: EnginePoolOptions) {
    this.#options = options
  }

  /** Every engine that lives, spares included. */
  get slots(): Iterable<EngineSlot> {
    return this.#all
  }

  /** Shared namespaces that were used, the default language's first. */
  get shared(): Iterable<EngineSlot> {
    return this.#shared.values()
  }

  findFactory(language: Language): EngineFactory | undefined {
    return this.#options.factories.find((candidate) => candidate.languages.includes(language))
  }

  factoryOf(language: Language): EngineFactory {
    const factory = this.findFactory(language)
    if (factory) return factory
    const known = this.#options.factories.flatMap((candidate) => candidate.languages)
    throw new LlmspellError(`this kernel does not run ${language}`, {
      code: 'kernel.not_supported',
      data: { language },
      hint: `It runs ${known.join(', ')}.`,
    })
  }

  /** Starts a spare in the background, kept until it is used. */
  warm(factory: EngineFactory): void {
    if (!this.#spares.has(factory)) this.#spares.set(factory, { slot: this.#create(factory), expiry: undefined })
  }

  /** As `warm`, for an engine that may be needed again: dropped after the spare's lifetime. */
  keepSpare(factory: EngineFactory): void {
    const { spareLifetime, clock } = this.#options
    if (spareLifetime === 0 || this.#spares.has(factory)) return
    const slot = this.#create(factory)
    const expiry = clock.setTimeout(() => {
      this.#spares.delete(factory)
      void this.discard(slot)
    }, spareLifetime)
    this.#spares.set(factory, { slot, expiry })
  }

  /** The engine of the shared namespace of a language, made at first use and again after it was lost. */
  sharedSlot(language: Language): EngineSlot {
    const factory = this.factoryOf(language)
    const present = this.#shared.get(factory)
    if (present && !present.discarded && present.engine.status.state !== 'disposed') return present
    const slot = this.#take(factory)
    slot.namespace = 'shared'
    this.#shared.set(factory, slot)
    return slot
  }

  /** With an environment of its own it is made for this: no spare will do. */
  freshSlot(language: Language, env?: EngineOptions['env']): EngineSlot {
    const factory = this.factoryOf(language)
    const slot = env ? this.#create(factory, env) : this.#take(factory)
    slot.namespace = 'fresh'
    return slot
  }

  /** Ends an engine; resolves when it is gone. Never rejects. */
  discard(slot: EngineSlot): Promise<void> {
    if (slot.whenGone) return slot.whenGone
    slot.discarded = true
    this.#options.onDiscard(slot)
    if (this.#shared.get(slot.factory) === slot) this.#shared.delete(slot.factory)
    slot.whenGone = this.#dispose(slot)
    return slot.whenGone
  }

  async #dispose(slot: EngineSlot): Promise<void> {
    try {
      await withTimeout(slot.engine.dispose(), DISPOSE_PATIENCE, 'an engine to go away')
    } catch (error) {
      this.#options.logger.log('error', `an engine did not go away: ${messageOf(error)}`, { languages: slot.factory.languages })
    }
    this.#all.delete(slot)
  }

  async discardAll(): Promise<void> {
    for (const { expiry } of this.#spares.values()) expiry?.cancel()
    this.#spares.clear()
    this.#shared.clear()
    await Promise.all([...this.#all].map((slot) => this.discard(slot)))
  }

  #take(factory: EngineFactory): EngineSlot {
    const spare = this.#spares.get(factory)
    if (!spare) return this.#create(factory)
    spare.expiry?.cancel()
    this.#spares.delete(factory)
    const { state } = spare.slot.engine.status
    if (!spare.slot.discarded && state !== 'lost' && state !== 'disposed') return spare.slot
    void this.discard(spare.slot)
    return this.#create(factory)
  }

  #create(factory: EngineFactory, env?: EngineOptions['env']): EngineSlot {
    const { host, logger } = this.#options
    const options = env ? { ...this.#options.engine, env } : this.#options.engine
    let slot: EngineSlot
    const engine = factory.create(
      host(() => slot),
      options,
    )
    const whenReady = engine.start().then(
      () => {
        slot.ready = true
      },
      (error: unknown) => {
        // One that was not wanted any more ends that way, too.
        if (!slot.discarded)
          logger.log('error', `engine for ${factory.languages.join(', ')} did not start: ${messageOf(error)}`, { code: codeOf(error) })
        void this.discard(slot)
        throw error
      },
    )
    // Whoever uses the slot awaits it; a spare that nobody uses yet must not end the process.
    whenReady.catch(() => {})
    slot = { id: `engine-${++this.#created}`, factory, engine, namespace: 'spare', ready: false, whenReady, discarded: false }
    this.#all.add(slot)
    return slot
  }
}
