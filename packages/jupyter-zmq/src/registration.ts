import { LlmspellError, messageOf, withTimeout } from '@llmspell/base'
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
 * signature scheme of the registration file first. `timeoutMs`: how long the launcher may take, which the proposal leaves open.
 * A kernel whose registration fails has nobody to serve and should exit. Throws `registration.refused` when the launcher answers
 * with an error, `registration.failed` when it cannot be reached or does not answer.
 */
export async function registerKernel(registration: RegistrationInfo, connection: ConnectionInfo, timeoutMs = 10_000): Promise<void> {
  const endpoint = endpointOf(registration)
  const reply = await handshake(endpoint, registration, connection, timeoutMs).catch((cause: unknown) => {
    throw new LlmspellError(`cannot register with the launcher at ${endpoint}: ${messageOf(cause)}`, {
      code: 'registration.failed',
      data: { endpoint },
      cause,
    })
  })
  if (reply.status === 'ok') return
  throw new LlmspellError(`the launcher refused this kernel: ${reply.evalue}`, {
    code: 'registration.refused',
    data: { endpoint, ename: reply.ename },
  })
}

function endpointOf({ transport, ip, registration_port: port }: RegistrationInfo): string {
  return transport === 'ipc' ? `ipc://${ip}-${port}` : `tcp://${ip}:${port}`
}

async function handshake(
  endpoint: string,
  registration: RegistrationInfo,
  connection: ConnectionInfo,
  timeoutMs: number,
): Promise<HandshakeReply> {
  const codec = new WireCodec({ signer: createSigner(registration), replayHistory: 0 })
  const answer = Promise.withResolvers<HandshakeReply>()
  const sockets = zmtpClientSockets({ identity: '', refusedGraceMs: timeoutMs })
  const socket = sockets.connect('req', endpoint, (frames) => {
    try {
      const { message } = codec.decode(frames, 'control')
      if (message.header.msg_type === 'handshake_reply') answer.resolve(message.content as HandshakeReply)
    } catch (error) {
      answer.reject(error as Error)
    }
  })
  try {
    const request = new Session({ username: 'kernel' }).createRaw('handshake_request', 'control', contentOf(registration, connection))
    // A REP socket wants REQ's empty frame, and a ROUTER gives it back.
    socket.send([EMPTY, ...codec.encode(request)])
    const lost = socket.lost.then((reason) => Promise.reject(reason))
    return await withTimeout(Promise.race([answer.promise, lost]), timeoutMs, 'the handshake_reply of the launcher')
  } finally {
    await socket.close(0)
  }
}

function contentOf({ kernel_id }: RegistrationInfo, connection: ConnectionInfo): HandshakeRequest {
  const { shell_port, iopub_port, stdin_port, control_port, hb_port } = connection
  return { shell_port, iopub_port, stdin_port, control_port, hb_port, ...(kernel_id !== undefined && { kernel_id }) }
}
