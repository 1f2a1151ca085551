import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KernelClient, type Output } from '@llmspell/client'
import { echoEngineFactory } from '@llmspell/script/echo'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type EmbeddedKernel, type EmbeddedKernelOptions, startEmbeddedKernel } from '../src/embedded.ts'

let home: string
let embedded: EmbeddedKernel | undefined
const clients: KernelClient[] = []

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'llmspell-embedded-'))
})
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close()
  await embedded?.close()
  embedded = undefined
  rmSync(home, { recursive: true, force: true })
})

async function start(options: EmbeddedKernelOptions = {}): Promise<KernelClient> {
  embedded = await startEmbeddedKernel({ env: { LLMSPELL_HOME: home }, engines: () => [echoEngineFactory()], ...options })
  return connect()
}

async function connect(): Promise<KernelClient> {
  const client = await KernelClient.connect({ transport: (embedded as EmbeddedKernel).connect() })
  clients.push(client)
  return client
}

/** What the cell printed. */
async function run(client: KernelClient, code: string): Promise<string> {
  const outputs: Output[] = []
  const reply = await client.execute(code, { onOutput: (output) => outputs.push(output) }).done
  expect(reply.status).toBe('ok')
  return outputs.map((output) => (output.type === 'stream' ? output.text : '')).join('')
}

describe('startEmbeddedKernel', () => {
  it('is a whole kernel that leaves no file behind', async () => {
    const client = await start()
    await run(client, 'call State.set ["k", {"n": 1}]')
    expect(await run(client, 'call State.get ["k"]')).toBe('{"n":1}\n')
    expect(await client.history({ access: 'tail', n: 5 })).toHaveLength(2)
    expect(readdirSync(home)).toEqual([])
  })

  it('gives each client a session of its own over one state', async () => {
    const one = await start()
    const two = await connect()
    await run(one, 'call State.set ["k", "shared"]')
    await run(one, 'call State.set ["k", "mine", {"scope": "session"}]')
    expect(await run(two, 'call State.get ["k"]')).toBe('shared\n')
    expect(await run(two, 'call State.has ["k", {"scope": "session"}]')).toBe('false\n')
    expect(await run(two, 'call Session.id []')).toBe(`${two.session}\n`)
  })

  it('keeps state and history on disk when told to', async () => {
    const config = { 'state.driver': 'sqlite', 'history.enabled': true } as const
    const before = await start({ config })
    await run(before, 'call State.set ["k", 1]')
    await before.close()
    await embedded?.close()
    const after = await start({ config })
    expect(await run(after, 'call State.get ["k"]')).toBe('1\n')
    expect((await after.history({ access: 'tail', n: 5 })).map(({ session, source }) => [session, source])).toEqual([
      [1, 'call State.set ["k", 1]'],
      [2, 'call State.get ["k"]'],
    ])
  })

  it('tells scripts what is wrong with a call', async () => {
    const client = await start()
    const reply = await client.execute('call State.get [1]').done
    expect(reply).toMatchObject({
      status: 'error',
      evalue: expect.stringContaining("State.get: argument 1 'key' must be string, got number 1"),
    })
  })

  it('describes itself to scripts', async () => {
    const client = await start({ language: 'typescript' })
    const info = JSON.parse(await run(client, 'call Kernel.info []')) as Record<string, unknown>
    expect(info).toMatchObject({ pid: process.pid, language: 'typescript', id: expect.stringMatching(/^embedded-/) })
  })
})
