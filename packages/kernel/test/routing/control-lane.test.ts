import type { IncomingMessage } from '@llmspell/jupyter'
import { expect, test } from 'vitest'
import { ControlLane } from '../../src/routing/control-lane.ts'
import { testKernel } from '../support/test-kernel.ts'

function incoming(msg_type: string, msg_id: string): IncomingMessage {
  const header = { msg_id, msg_type, session: 's', username: 'u', date: '', version: '5.5' }
  return {
    channel: 'control',
    peer: [],
    message: { channel: 'control', header, parent_header: {}, metadata: {}, content: {}, buffers: [] },
  }
}

/** A lane whose requests end when told. */
function lane(): { lane: ControlLane; begun: string[]; end(id: string): Promise<void> } {
  const begun: string[] = []
  const pending = new Map<string, () => void>()
  return {
    begun,
    lane: new ControlLane(
      ({ message }) => {
        begun.push(message.header.msg_id)
        return new Promise((resolve) => pending.set(message.header.msg_id, resolve))
      },
      (type) => type === 'debug_request',
    ),
    async end(id) {
      pending.get(id)?.()
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

test('one at a time, in order', async () => {
  const { lane: control, begun, end } = lane()
  for (const id of ['a', 'b', 'c']) control.receive(incoming('shutdown_request', id))
  expect(begun).toEqual(['a'])
  await end('a')
  expect(begun).toEqual(['a', 'b'])
  await end('b')
  expect(begun).toEqual(['a', 'b', 'c'])
})

test('an interrupt overtakes a blocked request, but not another interrupt', async () => {
  const { lane: control, begun, end } = lane()
  control.receive(incoming('shutdown_request', 'blocked'))
  control.receive(incoming('kernel_info_request', 'info'))
  control.receive(incoming('interrupt_request', 'interrupt'))
  expect(begun).toEqual(['blocked', 'interrupt'])
  await end('interrupt')
  await end('blocked')
  expect(begun).toEqual(['blocked', 'interrupt', 'info'])
  await end('info')
  control.receive(incoming('interrupt_request', 'first'))
  control.receive(incoming('kernel_info_request', 'between'))
  control.receive(incoming('interrupt_request', 'second'))
  expect(begun.slice(3)).toEqual(['first'])
  await end('first')
  await end('between')
  expect(begun.slice(3)).toEqual(['first', 'between', 'second'])
})

test('what a debugger asks waits for nothing, and nothing for it', () => {
  const { lane: control, begun } = lane()
  for (const id of ['attach', 'evaluate']) control.receive(incoming('debug_request', id))
  control.receive(incoming('kernel_info_request', 'info'))
  control.receive(incoming('usage_request', 'waits'))
  control.receive(incoming('debug_request', 'continue'))
  expect(begun).toEqual(['attach', 'evaluate', 'info', 'continue'])
})

test('a burst is answered in the order it was sent', async () => {
  const client = await (await testKernel()).connect()
  const types = ['kernel_status_request', 'interrupt_request', 'kernel_info_request', 'usage_request']
  const ids = Array.from({ length: 200 }, (_, n) => {
    const type = types[n % types.length] as string
    return client.send('control', type)
  })
  await client.done(ids.at(-1) as string)
  expect(client.messages.filter(({ channel }) => channel === 'control').map(({ parent_header }) => parent_header.msg_id)).toEqual(ids)
})
