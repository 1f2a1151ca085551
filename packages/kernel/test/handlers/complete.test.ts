import { expect, test } from 'vitest'
import { testKernel } from '../support/test-kernel.ts'

test('offsets are code points, in and out', async () => {
  const client = await (await testKernel()).connect()
  const code = '👩‍🚀한é pri'
  const end = Array.from(code).length
  const reply = await client.request('shell', 'complete_request', { code, cursor_pos: end })
  expect(reply.content).toMatchObject({ status: 'ok', matches: ['print'], cursor_start: end - 3, cursor_end: end })
  expect(reply.content['metadata']).toEqual({ _jupyter_types_experimental: [{ text: 'print', type: 'keyword', start: end - 3, end }] })
})

test('no offset is refused, none means the end', async () => {
  const client = await (await testKernel()).connect()
  const code = 'é👍 pri'
  for (const cursor_pos of [-5, 0, 1, 2, 3, 4, 5, 6, 7, 99]) {
    const reply = await client.request('shell', 'complete_request', { code, cursor_pos })
    expect(reply.content['status']).toBe('ok')
  }
  expect((await client.request('shell', 'complete_request', { code })).content['matches']).toEqual(['print'])
})

test('knows the variables of the language that was asked for, magics included', async () => {
  const client = await (await testKernel()).connect()
  await client.execute('%%js\nset printer 1')
  const matches = async (code: string, metadata = {}) =>
    (await client.request('shell', 'complete_request', { code, cursor_pos: code.length }, metadata)).content['matches']
  expect(await matches('pri')).toEqual(['print'])
  expect(await matches('pri', { llmspell: { language: 'typescript' } })).toEqual(['print', 'printer'])
  const inCell = await client.request('shell', 'complete_request', { code: '%%js\npri', cursor_pos: 8 })
  expect(inCell.content).toMatchObject({ matches: ['print', 'printer'], cursor_start: 5, cursor_end: 8 })
})

test('completes cell magics', async () => {
  const client = await (await testKernel()).connect()
  const reply = await client.request('shell', 'complete_request', { code: '%%t', cursor_pos: 3 })
  expect(reply.content).toMatchObject({ matches: ['%%ts', '%%typescript'], cursor_start: 0, cursor_end: 3 })
})
