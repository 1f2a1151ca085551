import { codeOf } from '@llmspell/base'
import { expect, it } from 'vitest'
import { parseEndpoint } from '../../src/zmtp/address.ts'

it('endpoints are read as libzmq reads them', () => {
  expect(parseEndpoint('tcp://127.0.0.1:80')).toEqual({ host: '127.0.0.1', port: 80 })
  expect(parseEndpoint('tcp://*:*')).toEqual({ host: '0.0.0.0', port: 0 })
  expect(parseEndpoint('tcp://localhost:1')).toEqual({ host: '127.0.0.1', port: 1 })
  expect(parseEndpoint('tcp://[::1]:5')).toEqual({ host: '::1', port: 5 })
  expect(parseEndpoint('ipc:///run/a:b-1')).toEqual({ path: '/run/a:b-1' })
})

it.each(['udp://127.0.0.1:1', 'tcp://127.0.0.1', 'tcp://127.0.0.1:x', '', '127.0.0.1:1'])('"%s" is refused', (endpoint) => {
  try {
    parseEndpoint(endpoint)
    expect.unreachable('it must be refused')
  } catch (error) {
    expect(codeOf(error)).toBe('zmq.bad_endpoint')
  }
})
