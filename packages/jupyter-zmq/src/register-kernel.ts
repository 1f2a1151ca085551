import { deferred, LlmspellError, withTimeout } from '@llmspell/base'
import {
  type ConnectionInfo,
  type HandshakeReply,
  type HandshakeRequest,
  type RegistrationInfo,
  Session,
  WireCodec,
} from '@llmspell/jupyter'
import { createSigner } from '@llmspell/jupyter/signer'
import { zmtpClientSockets } from './zmtp/client.ts'

const EMPTY = new Uint8Array(0)

/**
 * JEP 66: tells who started this kernel which ports it bound, and resolves once that was acknowledged. Bind with the key and
 * signature scheme of the registration file first. A kernel whose registration fails has nobody to serve and should exit.
 * Throws `registration.failed`.
 */
export async function registerKernel(registration: RegistrationInfo, connection: ConnectionInfo, timeoutMs = 10_000): Promise<void> {
  const session = new Session({ username: 'kernel' })
  const codec = new WireCodec({ signer: createSigner(registration), replayHistory: 0 })
  const endpoint = `${registration.transport}://${registration.ip}${registration.transport === 'ipc' ? '-' : ':'}${registration.registration_port}`
  const answered = deferred<HandshakeReply>()
  const sockets = zmtpClientSockets({ identity: '', refusedGraceMs: timeoutMs })
  const socket = sockets.connect('req', endpoint, (frames) => {
    try {
      answered.resolve(codec.decode(frames, 'control').message.content as HandshakeReply)
    } catch (error) {
      answered.reject(error)
    }
  })
  try {
    const request = session.createRaw('handshake_request', 'control', handshake(registration, connection))
    socket.send([EMPTY, ...codec.encode(request)])
    const lost = socket.lost.then((error) => Promise.reject(error))
    const reply = await withTimeout(Promise.race([answered.promise, lost]), timeoutMs, 'the acknowledgement of the registration')
    if (reply.status !== 'ok') throw new Error(reply.evalue || 'it was refused')
  } catch (cause) {
    throw new LlmspellError(`cannot register with ${endpoint}: ${(cause as Error).message}`, {
      code: 'registration.failed',
      data: { endpoint },
      cause,
    })
  } finally {
    await socket.close(0)
  }
}

function handshake(registration: RegistrationInfo, connection: ConnectionInfo): HandshakeRequest {
  const { shell_port, iopub_port, stdin_port, control_port, hb_port } = connection
  const { kernel_id } = registration
  return { shell_port, iopub_port, stdin_port, control_port, hb_port, ...(kernel_id !== undefined && { kernel_id }) }
}
