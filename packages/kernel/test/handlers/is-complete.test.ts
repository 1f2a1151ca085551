import { expect, test } from 'vitest'
import { testKernel } from '../support/test-kernel.ts'

test.each([
  ['print a', { status: 'complete' }],
  ['print a \\', { status: 'incomplete', indent: '  ' }],
  [')', { status: 'invalid' }],
  ['%%js', { status: 'incomplete', indent: '' }],
  ['%%js\nprint a', { status: 'complete' }],
])('%j is %j', async (code, expected) => {
  const client = await (await testKernel()).connect()
  expect((await client.request('shell', 'is_complete_request', { code })).content).toEqual(expected)
})
