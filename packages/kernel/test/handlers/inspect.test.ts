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
