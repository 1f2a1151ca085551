import { expect, it } from 'vitest'
import { parseListenAddress } from '../../src/debugging/listener.ts'

it.each([
  ['4711', { transport: 'tcp', port: 4711 }],
  ['0', { transport: 'tcp', port: 0 }],
  ['localhost:1', { transport: 'tcp', port: 1 }],
  ['127.0.0.1:65535', { transport: 'tcp', port: 65535 }],
  ['dap.sock', { transport: 'unix', path: '/here/dap.sock' }],
  ['/run/4711', { transport: 'unix', path: '/run/4711' }],
])('%s', (text, address) => {
  expect(parseListenAddress(text, '/here')).toEqual(address)
})

it.each(['0.0.0.0:1', '[::1]:1', 'example.org:80', '65536', `/${'x'.repeat(107)}`])('%s is refused', (text) => {
  expect(() => parseListenAddress(text, '/here')).toThrow(expect.objectContaining({ code: 'usage.bad_option' }))
})
