import type { ConnectionInfo } from '@llmspell/jupyter'

/** `zmtp`: our own, without a native addon. `libzmq`: the addon, which alone can encrypt. */
export type Carrier = 'zmtp' | 'libzmq'

export function carrierOf(connection: ConnectionInfo, wanted: Carrier | undefined): Carrier {
  const encrypted = connection.curve_publickey !== undefined
  return encrypted ? 'libzmq' : (wanted ?? 'zmtp')
}
