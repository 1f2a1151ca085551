import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withTimeout } from '@llmspell/base'
import { KernelClient } from '@llmspell/client'
import { type ConnectionInfo, Session, WireCodec } from '@llmspell/jupyter'
import { createSigner } from '@llmspell/jupyter/signer'
import { connectKernel } from '@llmspell/jupyter-zmq/client'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Router } from 'zeromq'
import { EXIT } from '../src/exit-codes.ts'
import { KERNEL_TEST_MS, type KernelUnderTest, makeHome, run, START_MS, startKernel } from './support/kernel-under-test.ts'

const KEY = 'registration-key'
type Reply = { status: 'ok' } | { status: 'error'; ename: string; evalue: string; traceback: string[] }

/** A launcher as JEP 66 describes it: it binds one socket, starts the kernel and is told the ports. */
async function launch(reply: Reply): Promise<{ kernel: KernelUnderTest; handshake: Promise<Record<string, unknown>> }> {
  const router = new Router({ linger: 0 })
  onTestFinished(() => router.close())
  await router.bind('tcp://127.0.0.1:*')
  const port = Number(router.lastEndpoint?.split(':').at(-1))
  const home = makeHome()
  const file = join(home, 'registration.json')
  writeFileSync(
    file,
    JSON.stringify({ transport: 'tcp', registration_ip: '127.0.0.1', registration_port: port, key: KEY, signature_scheme: 'hmac-sha256' }),
  )
  const codec = new WireCodec({ signer: createSigner({ key: KEY, signature_scheme: 'hmac-sha256' }) })
  const handshake = router.receive().then(async (frames) => {
    const { identities, message } = codec.decode(frames, 'control')
    expect(message.header.msg_type).toBe('handshake_request')
    await router.send([
      ...identities,
      ...codec.encode(new Session().createRaw('handshake_reply', 'control', reply, { parent: message })),
    ] as Buffer[])
    return message.content
  })
  const kernel = startKernel({ home, args: ['--connection-file', file, '--language', 'javascript'] })
  return { kernel, handshake: withTimeout(handshake, START_MS, 'the handshake_request') }
}

describe('registration with a launcher', { timeout: KERNEL_TEST_MS }, () => {
  it('reports the ports it bound itself, and is owned by the launcher', async () => {
    const { kernel, handshake } = await launch({ status: 'ok' })
    const ports = (await handshake) as unknown as ConnectionInfo
    const connection = { ...ports, transport: 'tcp', ip: '127.0.0.1', key: KEY, signature_scheme: 'hmac-sha256' } as const
    const client = await KernelClient.connect({ transport: connectKernel(connection) })
    onTestFinished(() => client.close())
    expect(await run(client, '6 * 7')).toEqual({ status: 'ok', text: '42' })
    expect(await client.shutdown()).toEqual({ detached: false })
    expect(await kernel.ended()).toEqual({ code: EXIT.ok, signal: null })
  })

  it('ends when the launcher refuses it', async () => {
    const { kernel, handshake } = await launch({ status: 'error', ename: 'Full', evalue: 'no more kernels', traceback: [] })
    await handshake
    expect((await kernel.ended()).code).toBe(EXIT.cannotStart)
    expect(kernel.printed()).toContain('the launcher refused this kernel: no more kernels')
  })
})
