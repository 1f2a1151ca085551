import type { ProtocolMessage } from './protocol.ts'

/** A message on one line, for a trace; tokens are not shown. `direction`: who sends it, such as `editor → kernel`. */
export function traceLine(direction: string, message: unknown): string {
  return `dap ${direction} ${JSON.stringify(message as ProtocolMessage, (key, value: unknown) => (key === 'token' ? '…' : value))}`
}
