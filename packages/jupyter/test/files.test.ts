import { codeOf } from '@llmspell/base'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ConnectionInfo, endpointOf, parseConnectionFile, serializeConnectionFile } from '../src/connection-file.ts'
import { parseKernelspec, serializeKernelspec } from '../src/kernelspec.ts'
import { parseRegistrationFile } from '../src/registration.ts'

const connection: ConnectionInfo = {
  transport: 'tcp',
  ip: '127.0.0.1',
  shell_port: 1001,
  iopub_port: 1002,
  stdin_port: 1003,
  control_port: 1004,
  hb_port: 1005,
  key: 'a-very-secret-key',
  signature_scheme: 'hmac-sha256',
  kernel_name: 'llmspell-lua',
}
const record = {
  id: 'default',
  pid: 42,
  startTime: '123',
  version: '0.1.0',
  language: 'lua',
  cwd: '/',
  startedAt: '2026-01-01T00:00:00Z',
  startedBy: 'auto',
  idleTimeout: 0,
} as const

describe('a connection file', () => {
  it('comes back as it was written, unknown keys too', () => {
    const full = { ...connection, llmspell: record, jupyter_session: 'notebook.ipynb' }
    expect(parseConnectionFile(serializeConnectionFile(full))).toEqual(full)
  })

  it('may leave out what has a default', () => {
    const { shell_port, iopub_port, stdin_port, control_port, hb_port } = connection
    const parsed = parseConnectionFile(JSON.stringify({ shell_port, iopub_port, stdin_port, control_port, hb_port }))
    expect(parsed).toMatchObject({ transport: 'tcp', ip: '127.0.0.1', key: '', signature_scheme: 'hmac-sha256' })
  })

  it.each([
    ['shell_port is missing', { shell_port: undefined }],
    ['hb_port is not a port number', { hb_port: '1005' }],
    ['iopub_port is not a port number', { iopub_port: 70_000 }],
    ['transport is neither', { transport: 'inproc' }],
    ['key is not a string', { key: 7 }],
    ['curve_publickey is not a Z85 key', { curve_publickey: 'short' }],
    ['curve_secretkey without curve_publickey', { curve_secretkey: 'x'.repeat(40) }],
    ['llmspell.pid is not a number', { llmspell: { ...record, pid: '42' } }],
  ])('is refused when %s', (reason, change) => {
    expect(() => parseConnectionFile(JSON.stringify({ ...connection, ...change }), '/run/k.json')).toThrow(
      new RegExp(`^/run/k.json: ${reason}`),
    )
  })

  it('never shows its key in an error', () => {
    const whole = serializeConnectionFile(connection)
    for (let length = 0; length < whole.length - 2; length++) {
      try {
        parseConnectionFile(whole.slice(0, length))
        expect.unreachable('a cut file must not parse')
      } catch (error) {
        expect(codeOf(error)).toBe('connection_file.invalid')
        expect(JSON.stringify([(error as Error).message, error, (error as Error).cause ?? ''])).not.toContain('secret')
      }
    }
  })

  it('is parsed or refused with its code, whatever JSON it holds', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.string(),
          fc.object().map((extra) => JSON.stringify({ ...connection, ...extra })),
        ),
        (text) => {
          try {
            parseConnectionFile(text)
          } catch (error) {
            expect(codeOf(error)).toBe('connection_file.invalid')
          }
        },
      ),
    )
  })

  it('names endpoints as ZeroMQ does', () => {
    expect(endpointOf(connection, 'shell')).toBe('tcp://127.0.0.1:1001')
    expect(endpointOf({ ...connection, shell_port: 0 }, 'shell')).toBe('tcp://127.0.0.1:*')
    expect(endpointOf({ ...connection, ip: '::1' }, 'hb')).toBe('tcp://[::1]:1005')
    expect(endpointOf({ ...connection, transport: 'ipc', ip: '/run/k', iopub_port: 2 }, 'iopub')).toBe('ipc:///run/k-2')
  })
})

describe('a kernelspec', () => {
  const spec = {
    argv: ['node', 'main.js', '{connection_file}'],
    display_name: 'Lua',
    language: 'lua',
    interrupt_mode: 'message' as const,
    metadata: { debugger: false },
  }

  it('comes back as it was written', () => {
    expect(parseKernelspec(serializeKernelspec(spec))).toEqual(spec)
  })

  it.each([
    ['argv is not a list of words', { argv: 'node' }],
    ['argv is not a list of words', { argv: [] }],
    ['display_name is not a string', { display_name: 1 }],
    ['interrupt_mode is neither', { interrupt_mode: 'kill' }],
    ['env is not a map of strings', { env: { A: 1 } }],
  ])('is refused when %s', (reason, change) => {
    expect(() => parseKernelspec(JSON.stringify({ ...spec, ...change }))).toThrow(reason)
  })
})

describe('a registration file', () => {
  it('is read in the shape of the proposal and in the shape supervisors write', () => {
    const expected = { transport: 'tcp', ip: '127.0.0.1', registration_port: 5000, key: 'k', signature_scheme: 'hmac-sha256' }
    expect(
      parseRegistrationFile(
        JSON.stringify({
          kernel_id: 'id',
          transport: 'tcp',
          registration_ip: '127.0.0.1',
          registration_port: '5000',
          key: 'k',
          signature_scheme: 'hmac-sha256',
        }),
      ),
    ).toEqual({ ...expected, kernel_id: 'id' })
    expect(parseRegistrationFile(JSON.stringify({ ip: '127.0.0.1', registration_port: 5000, key: 'k' }))).toEqual(expected)
  })

  it.each([
    ['{}'],
    ['[]'],
    ['x'],
    ['{"registration_port":0}'],
    ['{"registration_port":1,"transport":"udp"}'],
    ['{"registration_port":1,"key":1}'],
  ])('%s is refused', (text) => {
    try {
      parseRegistrationFile(text)
      expect.unreachable('it must not parse')
    } catch (error) {
      expect(codeOf(error)).toBe('registration_file.invalid')
    }
  })
})
