import { chmodSync, unlinkSync } from 'node:fs'
import { connect, type Server } from 'node:net'
import { codeOf } from '@llmspell/base'
import { parseEndpoint } from './address.ts'

/** Binds the server and returns the endpoint as bound. Rejects with Node's error (`EADDRINUSE`…). */
export async function listen(server: Server, endpoint: string): Promise<string> {
  const address = parseEndpoint(endpoint)
  try {
    await listenOnce(server, address)
  } catch (error) {
    if (codeOf(error) !== 'EADDRINUSE' || !('path' in address) || (await answers(address.path))) throw error
    // The file of a kernel that was killed: nobody listens behind it.
    unlinkSync(address.path)
    await listenOnce(server, address)
  }
  if ('path' in address) {
    chmodSync(address.path, 0o600)
    return endpoint
  }
  const { port } = server.address() as { port: number }
  return `${endpoint.slice(0, endpoint.lastIndexOf(':'))}:${port}`
}

function listenOnce(server: Server, address: ReturnType<typeof parseEndpoint>): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    // exclusive: a cluster worker must not share the port.
    server.listen({ ...address, exclusive: true, backlog: 511 }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ path })
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', () => resolve(false))
  })
}
