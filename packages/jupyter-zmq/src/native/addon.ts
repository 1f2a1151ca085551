import { LlmspellError, messageOf } from '@llmspell/base'

export type Addon = typeof import('zeromq')

let loading: Promise<Addon> | undefined

/** libzmq, loaded on first need: it takes longer to load than a whole command line may take. */
export function loadAddon(): Promise<Addon> {
  loading ??= import('zeromq').then(
    (zmq) => {
      // With the default the process waits for ever at exit when a message could not be sent.
      zmq.context.blocky = false
      return zmq
    },
    (cause: unknown) => {
      loading = undefined
      throw new LlmspellError(`the ZeroMQ addon cannot be loaded: ${messageOf(cause)}`, {
        code: 'zmq.addon_missing',
        cause,
        hint: 'It is needed for encrypted connections. Install the zeromq package for this platform.',
      })
    },
  )
  return loading
}

/** The addon, when it can encrypt. Fails closed: throws `zmq.curve_unavailable` otherwise. */
export async function loadCurveAddon(): Promise<Addon> {
  const zmq = await loadAddon()
  if (!zmq.capability.curve)
    throw new LlmspellError('this connection is encrypted (CURVE), and the ZeroMQ addon of this platform cannot encrypt', {
      code: 'zmq.curve_unavailable',
      hint: 'Use a connection file without curve_publickey, over ipc or loopback.',
    })
  return zmq
}
