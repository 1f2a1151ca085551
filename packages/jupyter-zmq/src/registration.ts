import { LlmspellError, messageOf, withTimeout } from '@llmspell/base'
import { type ConnectionInfo, type HandshakeReply, type RegistrationInfo, Session, WireCodec } from '@llmspell/jupyter'
import { createSigner } from '@llmspell/jupyter/signer'
import { zmtpClientSockets } from './zmtp/client.ts'

/** How long the launcher may take to answer; JEP 66 leaves it open. */
const ANSWER_MS = 10_000
const LINGER_MS = 500

/**
 * Tells a launcher the ports this kernel has bound, and waits until it says ok (JEP 66). Codes `registration.failed` when the launcher
 * cannot be reached or does not answer, `registration.refused` when it answers with an error; the kernel then ends.
 */
export async function registerKernel(registration: RegistrationInfo, connection: ConnectionInfo): Promise<void> {
  const { transport, ip, registration_port: port } = registration
  const codec = new WireCodec({ signer: createSigner(registration) })
  const session = new Session({ username: 'kernel' })
  const { shell_port, iopub_port, stdin_port, control_port, hb_port } = connection
  const request = session.createRaw('handshake_request', 'control', {
    shell_port,
    iopub_port,
    stdin_port,
    control_port,
    hb_port,
    ...(registration.kernel_id !== undefined && { kernel_id: registration.kernel_id }),
  })
  const answer = Promise.withResolvers<HandshakeReply>()
  const sockets = zmtpClientSockets({ identity: session.id, refusedGraceMs: ANSWER_MS })
  const socket = sockets.connect('dealer', transport === 'ipc' ? `ipc://${ip}-${port}` : `tcp://${ip}:${port}`, (frames) => {
    try {
      const { message } = codec.decode(frames, 'control')
      if (message.header.msg_type === 'handshake_reply') answer.resolve(message.content as HandshakeReply)
    } catch (error) {
      answer.reject(error as Error)
    }
  })
  try {
    socket.send(codec.encode(request))
    const lost = socket.lost.then((reason) => Promise.reject(reason))
    const reply = await withTimeout(Promise.race([answer.promise, lost]), ANSWER_MS, 'the handshake_reply of the launcher')
    if (reply.status !== 'ok')
      throw new LlmspellError(`the launcher refused this kernel: ${reply.evalue}`, {
        code: 'registration.refused',
        data: { ename: reply.ename },
      })
  } catch (error) {
    if (LlmspellError.is(error) && error.code === 'registration.refused') throw error
    throw new LlmspellError(`cannot register with the launcher at ${ip}:${port}: ${messageOf(error)}`, {
      code: 'registration.failed',
      data: { ip, port },
      cause: error,
    })
  } finally {
    await socket.close(LINGER_MS)
  }
}
