import { LlmspellError } from '@llmspell/base'

/** What `node:net` listens on or connects to. */
export type NetAddress = { path: string } | { host: string; port: number }

/** From `tcp://host:port` (port `*`: any) or `ipc://path`. Throws `zmq.bad_endpoint`. */
export function parseEndpoint(endpoint: string): NetAddress {
  if (endpoint.startsWith('ipc://')) return { path: endpoint.slice('ipc://'.length) }
  const tcp = /^tcp:\/\/(.+):(\d+|\*)$/.exec(endpoint)
  if (!tcp)
    throw new LlmspellError(`"${endpoint}" is neither tcp://host:port nor ipc://path`, { code: 'zmq.bad_endpoint', data: { endpoint } })
  const [, host, port] = tcp as unknown as [string, string, string]
  return { host: HOSTS[host] ?? host.replace(/^\[(.*)\]$/, '$1'), port: port === '*' ? 0 : Number(port) }
}

/** As libzmq understands these; a resolver may take `localhost` for ::1, where libzmq's clients do not look. */
const HOSTS: Readonly<Record<string, string>> = { '*': '0.0.0.0', localhost: '127.0.0.1' }
