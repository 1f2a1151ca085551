import { LlmspellError } from '@llmspell/base'
import type { ConnectionInfo } from './connection-file.ts'

/**
 * JEP 66: instead of ports, the kernel is told where to report the ports it bound itself, so none can be taken in between.
 * https://jupyter.org/enhancement-proposals/66-jupyter-handshaking/jupyter-handshaking.html
 */
export interface RegistrationInfo {
  transport: 'tcp' | 'ipc'
  /** Of the registration socket; the kernel binds its own sockets to the same address. */
  ip: string
  registration_port: number
  key: string
  signature_scheme: string
  kernel_id?: string
}

/** Content of the `handshake_request` a kernel sends to the registration socket once its sockets are bound. */
export type HandshakeRequest = Pick<ConnectionInfo, 'shell_port' | 'iopub_port' | 'stdin_port' | 'control_port' | 'hb_port'> & {
  kernel_id?: string
}

/** Content of the `handshake_reply`; without one, or with an error, the kernel exits. */
export type HandshakeReply = { status: 'ok' } | { status: 'error'; ename: string; evalue: string; traceback: string[] }

/** Reads a registration file: the JEP's `registration_ip`, or `ip` as supervisors in use write it; ports as numbers or strings. Throws `registration_file.invalid`. */
export function parseRegistrationFile(text: string, name = 'registration file'): RegistrationInfo {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The parser's own message quotes the text, which holds the key.
    throw invalid(name, 'it is not JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(name, 'it is not a JSON object')
  const fields = value as Record<string, unknown>
  const transport = fields['transport'] ?? 'tcp'
  const ip = fields['registration_ip'] ?? fields['ip'] ?? '127.0.0.1'
  const port = Number(fields['registration_port'])
  const key = fields['key'] ?? ''
  const scheme = fields['signature_scheme'] ?? 'hmac-sha256'
  const kernelId = fields['kernel_id']
  if (transport !== 'tcp' && transport !== 'ipc') throw invalid(name, 'transport is neither "tcp" nor "ipc"')
  if (typeof ip !== 'string' || ip === '') throw invalid(name, 'registration_ip is not an address')
  if (!Number.isInteger(port) || port < 1 || (transport === 'tcp' && port > 65_535))
    throw invalid(name, 'registration_port is not a port number')
  if (typeof key !== 'string') throw invalid(name, 'key is not a string')
  if (typeof scheme !== 'string') throw invalid(name, 'signature_scheme is not a string')
  if (kernelId !== undefined && typeof kernelId !== 'string') throw invalid(name, 'kernel_id is not a string')
  return { transport, ip, registration_port: port, key, signature_scheme: scheme, ...(kernelId !== undefined && { kernel_id: kernelId }) }
}

function invalid(name: string, reason: string): LlmspellError {
  return new LlmspellError(`${name}: ${reason}`, { code: 'registration_file.invalid', data: { file: name, reason } })
}
