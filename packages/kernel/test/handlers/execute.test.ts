import { expect, test } from 'vitest'
import { testKernel } from '../support/test-kernel.ts'

test('a cell: busy, input, output, result, one reply, idle', async () => {
  const client = await (await testKernel()).connect()
  const reply = await client.execute('print hello\n42')
  const id = reply.parent_header.msg_id as string
  expect(client.published(id)).toEqual(['busy', 'input [1] print hello\n42', 'stdout "hello\\n"', 'result [1] {"text/plain":"42"}', 'idle'])
  expect(client.replies(id)).toHaveLength(1)
  expect(reply.content).toEqual({ status: 'ok', execution_count: 1, payload: [], user_expressions: {} })
})

test('an error: published before the reply, which says the same', async () => {
  const client = await (await testKernel()).connect()
  const reply = await client.execute('print before\nerror boom')
  const id = reply.parent_header.msg_id as string
  expect(client.published(id)).toEqual([
    'busy',
    'input [1] print before\nerror boom',
    'stdout "before\\n"',
    'error EchoError: boom',
    'idle',
  ])
  expect(reply.content).toMatchObject({ status: 'error', ename: 'EchoError', evalue: 'boom', execution_count: 1 })
  expect(reply.content['llmspell']).toEqual({ position: { source: 'cell [1]', line: 2 } })
})
