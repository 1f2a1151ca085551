import { echoEngineFactory } from '@llmspell/script/echo'
import { expect, test } from 'vitest'
import { testKernel } from '../support/test-kernel.ts'

test('the same on shell and control, with the version of the header', async () => {
  const client = await (await testKernel()).connect()
  const shell = await client.request('shell', 'kernel_info_request')
  const control = await client.request('control', 'kernel_info_request')
  expect(control.content).toEqual(shell.content)
  expect(shell.content).toMatchObject({
    status: 'ok',
    protocol_version: shell.header.version,
    implementation: 'llmspell',
    implementation_version: '0.1.0',
    debugger: true,
    supported_features: ['debugger'],
  })
})

test.each([
  ['lua', '.lua', '5.4.8'],
  ['javascript', '.js', ''],
  ['typescript', '.ts', ''],
] as const)('%s: language_info', async (defaultLanguage, file_extension, version) => {
  const echo = echoEngineFactory()
  const client = await (await testKernel({ defaultLanguage, engines: [{ ...echo, versions: { lua: '5.4.8' } }] })).connect()
  expect((await client.request('shell', 'kernel_info_request')).content['language_info']).toMatchObject({
    name: defaultLanguage,
    file_extension,
    version,
    codemirror_mode: { version: 1 },
  })
})
