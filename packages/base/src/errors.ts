/** Data that travels with an error: what failed, on which scope, key, session, file… */
export type ErrorData = Readonly<Record<string, unknown>>

export interface LlmspellErrorOptions {
  /** Stable, machine-readable reason: `state.driver_failed`, `wire.bad_signature`. Branch on this, never on the message. */
  code: string
  data?: ErrorData
  cause?: unknown
  /** What the user can do next, one sentence. */
  hint?: string
}

const BRAND = Symbol.for('llmspell.error')

/**
 * The local error family. Packages make their own errors by calling this with their own `code` prefix;
 * the kernel maps them to wire errors in one file.
 */
export class LlmspellError extends Error {
  readonly code: string
  readonly data: ErrorData
  readonly hint: string | undefined

  constructor(message: string, options: LlmspellErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'LlmspellError'
    this.code = options.code
    this.data = options.data ?? {}
    this.hint = options.hint
    Object.defineProperty(this, BRAND, { value: true })
  }

  /** True for errors of this family, also when two copies of the package are loaded. */
  static is(value: unknown): value is LlmspellError {
    return typeof value === 'object' && value !== null && BRAND in value
  }
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

/** The string `code` of an error (ours, Node's or another's), or `undefined`. */
export function codeOf(thrown: unknown): string | undefined {
  const code = (thrown as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : undefined
}
