import type { IncomingMessage, KernelTransport } from '@llmspell/jupyter'
import { Session } from '@llmspell/jupyter'
import { parseContent } from '@llmspell/jupyter/validation'

const BATCH_BYTES = 64 * 1024

/**
 * As much of a kernel as clients need to be shown that a carrier works. `echo TEXT` prints; `ask` asks for input;
 * `lines N` prints N numbered lines in batches, and waits when the carrier falls behind.
 */
export function serveToyKernel(transport: KernelTransport): { readonly mostBacklog: number } {
  const session = new Session({ username: 'kernel' })
  const waiting = new Map<string, (value: string) => void>()
  const seen = { mostBacklog: 0 }

  const stream = (parent: IncomingMessage['message'], text: string): void => {
    transport.publish('stream.stdout', session.create('stream', { name: 'stdout', text }, { parent }))
    seen.mostBacklog = Math.max(seen.mostBacklog, transport.backlog)
  }

  async function execute({ channel, message, peer }: IncomingMessage): Promise<object> {
    const { code } = parseContent('execute_request', message.content)
    const [word, argument] = code.split(/ (.*)/)
    if (word === 'echo') stream(message, `${argument}\n`)
    if (word === 'ask') {
      const prompt = session.create('input_request', { prompt: 'name? ', password: false }, { parent: message })
      transport.send('stdin', peer, prompt)
      stream(message, await new Promise<string>((resolve) => waiting.set(message.header.session, resolve)))
    }
    if (word === 'lines') await printLines(message, Number(argument))
    return { status: 'ok', execution_count: 1, user_expressions: {}, channel }
  }

  async function printLines(parent: IncomingMessage['message'], count: number): Promise<void> {
    let batch = ''
    for (let i = 0; i < count; i++) {
      batch += `${i} the quick brown fox\n`
      if (batch.length < BATCH_BYTES && i < count - 1) continue
      stream(parent, batch)
      batch = ''
      if (transport.backlog > 16 * BATCH_BYTES) await transport.flushed()
    }
  }

  transport.onMessage((incoming) => {
    const { channel, message, peer } = incoming
    const type = message.header.msg_type
    if (type === 'input_reply') {
      waiting.get(message.header.session)?.(parseContent('input_reply', message.content).value)
      return
    }
    void answer()

    async function answer(): Promise<void> {
      const parent = message
      transport.publish('status', session.create('status', { execution_state: 'busy' }, { parent }))
      const content = type === 'execute_request' ? await execute(incoming) : answerTo(type)
      transport.send(
        channel,
        peer,
        session.createRaw(type.replace('request', 'reply'), channel, content, { parent, buffers: message.buffers }),
      )
      transport.publish('status', session.create('status', { execution_state: 'idle' }, { parent }))
    }
  })
  return seen
}

function answerTo(type: string): object {
  if (type !== 'kernel_info_request') return { status: 'error', ename: 'Unknown', evalue: type, traceback: [] }
  const language_info = { name: 'toy', version: '1', mimetype: 'text/plain', file_extension: '.toy' }
  return { status: 'ok', protocol_version: '5.5', implementation: 'toy', implementation_version: '1', language_info, banner: 'toy' }
}
