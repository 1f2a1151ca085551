import { cellSource } from '@llmspell/debug/cells'
import type { ExecuteRequest } from '@llmspell/script'
import { echoEngineFactory } from '@llmspell/script/echo'
import { expect, test } from 'vitest'
import { cellNames } from '../../src/debugging/cell-names.ts'
import { testKernel } from '../support/test-kernel.ts'

test('engines are told what debuggers call a cell: by its text as it was sent; files keep their path', async () => {
  const requests: ExecuteRequest[] = []
  const echo = echoEngineFactory()
  const { connect } = await testKernel({
    engines: [
      {
        ...echo,
        create(host, options) {
          const engine = echo.create(host, options)
          const execute = engine.execute.bind(engine)
          engine.execute = (request) => {
            requests.push(request)
            return execute(request)
          }
          return engine
        },
      },
    ],
  })
  const client = await connect()
  const code = '%%ts\nprint 안녕 🚀'
  await client.execute(code)
  await client.execute(code)
  await client.execute('print a', {}, { llmspell: { source: '/home/x.lua' } })
  const path = cellSource(cellNames('lua'), code)
  expect(path).toMatch(/\/llmspell-cells-\d+\/\d+\.lua$/)
  expect(requests.map(({ source, debugSource }) => [source, debugSource])).toEqual([
    ['cell [1]', path],
    ['cell [2]', path],
    ['/home/x.lua', undefined],
  ])
})
