import { expect, test } from 'vitest'
import { testKernel } from '../support/test-kernel.ts'

test('found, not found, and behind a magic', async () => {
  const client = await (await testKernel()).connect()
  const inspect = async (code: string, cursor_pos: number) =>
    (await client.request('shell', 'inspect_request', { code, cursor_pos })).content
  expect(await inspect('é print', 4)).toMatchObject({
    status: 'ok',
    found: true,
    data: { 'text/plain': expect.stringContaining('stdout') },
  })
  expect(await inspect('nothing', 3)).toEqual({ status: 'ok', found: false, data: {}, metadata: {} })
  expect(await inspect('%%js\nprint', 7)).toMatchObject({ found: true })
})

test('name? as a cell pages the documentation; unknown names are an error', async () => {
  const client = await (await testKernel()).connect()
  const page = await client.execute('print?')
  expect(page.content).toMatchObject({
    status: 'ok',
    payload: [{ source: 'page', start: 0, data: { 'text/plain': expect.stringContaining('stdout') } }],
  })
  expect((await client.execute('nothing?')).content).toMatchObject({ status: 'error', evalue: expect.stringContaining('nothing') })
  expect((await client.request('shell', 'is_complete_request', { code: 'print?' })).content).toMatchObject({ status: 'complete' })
})
