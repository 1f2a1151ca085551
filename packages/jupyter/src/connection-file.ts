import { LlmspellError } from '@llmspell/base'
import type { KernelRecord } from './extensions.ts'

/** The five sockets of a kernel. */
export type SocketName = 'shell' | 'iopub' | 'stdin' | 'control' | 'hb'

export const SOCKET_NAMES: readonly SocketName[] = ['shell', 'iopub', 'stdin', 'control', 'hb']

/**
 * A connection file: how to reach a kernel, and the key that lets one in. Never world-readable, never in a log.
 * https://jupyter-client.readthedocs.io/en/stable/kernels.html#connection-files
 */
export interface ConnectionInfo {
  /** `ipc`: `ip` is a path prefix, and the sockets are the files `<ip>-<port>`. */
  transport: 'tcp' | 'ipc'
  ip: string
  shell_port: number
  iopub_port: number
  stdin_port: number
  control_port: number
  hb_port: number
  /** Empty: messages are not signed. */
  key: string
  signature_scheme: string
  /** The kernelspec; Jupyter Server lists external kernels only with it. */
  kernel_name?: string
  /** The kernel's CURVE key pair, Z85 (40 characters). With the public key the sockets are encrypted. */
  curve_publickey?: string
  curve_secretkey?: string
  /** Ours: makes the file the kernel's registry entry. */
  llmspell?: KernelRecord
}

const PORT_FIELDS = ['shell_port', 'iopub_port', 'stdin_port', 'control_port', 'hb_port'] as const
const Z85_KEY = /^[0-9a-zA-Z.\-:+=^!/*?&<>()[\]{}@%$#]{40}$/

/**
 * Reads a connection file's text; keys it does not know are kept. `name` (usually the path) is used in errors.
 * Throws `connection_file.invalid`, never showing the key.
 */
export function parseConnectionFile(text: string, name = 'connection file'): ConnectionInfo {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The parser's own message quotes the text, which holds the key.
    throw invalid(name, 'it is not JSON')
  }
  if (!isRecord(value)) throw invalid(name, 'it is not a JSON object')
  const fields = { transport: 'tcp', ip: '127.0.0.1', key: '', signature_scheme: 'hmac-sha256', ...value } as Record<string, unknown>
  if (fields['transport'] !== 'tcp' && fields['transport'] !== 'ipc') throw invalid(name, 'transport is neither "tcp" nor "ipc"')
  for (const field of ['ip', 'key', 'signature_scheme', 'kernel_name', 'curve_publickey', 'curve_secretkey'] as const) {
    if (fields[field] === null) delete fields[field]
    else if (fields[field] !== undefined && typeof fields[field] !== 'string') throw invalid(name, `${field} is not a string`)
  }
  if (fields['ip'] === '') throw invalid(name, 'ip is empty')
  const highest = fields['transport'] === 'tcp' ? 65_535 : Number.MAX_SAFE_INTEGER
  for (const field of PORT_FIELDS) {
    const port = fields[field]
    if (port === undefined) throw invalid(name, `${field} is missing`)
    if (!Number.isInteger(port) || (port as number) < 0 || (port as number) > highest) throw invalid(name, `${field} is not a port number`)
  }
  for (const field of ['curve_publickey', 'curve_secretkey'] as const)
    if (fields[field] !== undefined && !Z85_KEY.test(fields[field] as string))
      throw invalid(name, `${field} is not a Z85 key of 40 characters`)
  if (fields['curve_secretkey'] !== undefined && fields['curve_publickey'] === undefined)
    throw invalid(name, 'curve_secretkey without curve_publickey')
  if (fields['llmspell'] !== undefined) checkRecord(fields['llmspell'], name)
  return fields as unknown as ConnectionInfo
}

export function serializeConnectionFile(connection: ConnectionInfo): string {
  return `${JSON.stringify(connection, null, 2)}\n`
}

/** Where a socket of this kernel is bound, in ZeroMQ's notation. Port 0 of tcp lets the system choose. */
export function endpointOf(connection: ConnectionInfo, socket: SocketName): string {
  const port = connection[`${socket}_port`]
  if (connection.transport === 'ipc') return `ipc://${connection.ip}-${port}`
  const host = connection.ip.includes(':') && !connection.ip.startsWith('[') ? `[${connection.ip}]` : connection.ip
  return `tcp://${host}:${port === 0 ? '*' : port}`
}

const RECORD_FIELDS: Record<keyof KernelRecord, 'string' | 'number' | 'optional string'> = {
  id: 'string',
  pid: 'number',
  startTime: 'string',
  version: 'string',
  language: 'string',
  cwd: 'string',
  startedAt: 'string',
  startedBy: 'string',
  idleTimeout: 'number',
  logFile: 'optional string',
}

function checkRecord(record: unknown, name: string): void {
  if (!isRecord(record)) throw invalid(name, 'llmspell is not an object')
  for (const [field, type] of Object.entries(RECORD_FIELDS)) {
    const value = record[field]
    if (type === 'optional string' ? value !== undefined && typeof value !== 'string' : typeof value !== type)
      throw invalid(name, `llmspell.${field} is not a ${type.replace('optional ', '')}`)
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(name: string, reason: string): LlmspellError {
  return new LlmspellError(`${name}: ${reason}`, {
    code: 'connection_file.invalid',
    data: { file: name, reason },
    hint: 'A connection file is JSON with transport, ip, key, signature_scheme and five ports.',
  })
}
