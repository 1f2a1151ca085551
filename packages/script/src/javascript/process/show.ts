import { inspect } from 'node:util'
import type { MimeBundle } from '../../engine.ts'
import { isBundle, normalizeBundle } from '../../host/bundles.ts'

/** The method by which a value says how it looks, as in Deno's kernel: gives a bundle, or a promise of one. */
const JUPYTER_DISPLAY = Symbol.for('Jupyter.display')

/** A value as a front end shows it; nothing for undefined. */
export function toBundle(value: unknown): MimeBundle | undefined | Promise<MimeBundle | undefined> {
  if (value === undefined) return undefined
  const own = ownBundle(value)
  if (own instanceof Promise) return own.then((bundle) => complete(bundle, value))
  return own === undefined ? plain(value) : complete(own, value)
}

function ownBundle(value: unknown): unknown {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return undefined
  const display = (value as Record<symbol, unknown>)[JUPYTER_DISPLAY] ?? (value as { toMime?: unknown }).toMime
  return typeof display === 'function' ? (display as () => unknown).call(value) : undefined
}

function complete(bundle: unknown, value: unknown): MimeBundle {
  if (!isBundle(bundle)) return plain(value)
  return normalizeBundle('text/plain' in bundle ? bundle : { ...bundle, ...plain(value) })
}

function plain(value: unknown): MimeBundle {
  return { 'text/plain': inspect(value) }
}
