import { LlmspellError } from '@llmspell/base'
import type { MimeBundle } from '../../engine.ts'
import { bundleOf, DISPLAY_KINDS, type DisplayKind, isBundle, normalizeBundle } from '../../host/bundles.ts'
import type { ScriptThread } from './script-thread.ts'
import { toBundle } from './show.ts'

export interface DisplayOptions {
  /** Under which `Display.update` replaces the output. */
  id?: string
  metadata?: Record<string, unknown>
}

type Show = (value: unknown, options?: DisplayOptions) => void | Promise<void>

/** `display` and `Display`. A value that gives its bundle by a promise makes `display` return one. */
export function displays(thread: ScriptThread): { display: Show; Display: Record<string, unknown> } {
  const emit = (data: MimeBundle, { id, metadata = {} }: DisplayOptions = {}, update = false): void => {
    thread.check()
    thread.send({
      t: 'display',
      n: thread.owner,
      data,
      metadata,
      ...(id !== undefined && { displayId: String(id) }),
      ...(update && { update }),
    })
  }
  const show = (value: unknown, options?: DisplayOptions, update?: boolean): void | Promise<void> => {
    const bundle = isBundle(value) ? normalizeBundle(value) : (toBundle(value) ?? { 'text/plain': 'undefined' })
    if (!(bundle instanceof Promise)) return emit(bundle, options, update)
    return bundle.then((settled) => emit(settled ?? { 'text/plain': 'undefined' }, options, update))
  }
  const kinds = DISPLAY_KINDS.map((kind) => {
    const run: Show = (value, options) => emit(checked(kind, value), options)
    Object.defineProperty(run, 'name', { value: kind })
    return [kind, run] as const
  })
  const Display = Object.freeze({
    ...Object.fromEntries(kinds),
    update: (id: string, value: unknown, options?: DisplayOptions) => show(value, { ...options, id }, true),
    clear(wait = false): void {
      thread.check()
      thread.send({ t: 'clear', n: thread.owner, wait: wait === true })
    },
  })
  return { display: (value, options) => show(value, options), Display }
}

/** A wrong argument is a TypeError, as for every function of the language. */
function checked(kind: DisplayKind, value: unknown): MimeBundle {
  try {
    return bundleOf(kind, value)
  } catch (error) {
    if (LlmspellError.is(error)) throw new TypeError(error.message)
    throw error
  }
}
