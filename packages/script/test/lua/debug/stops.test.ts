import { describe, expect, it } from 'vitest'
import { debugLua, program } from './debug-engine.ts'

describe('a breakpoint', () => {
  it('stops, shows where and what, and lets go on', async () => {
    const lua = await debugLua()
    const code = 'local function add(a, b)\n  local sum = a + b\n  return sum\nend\nprint(add(1, 2))'
    await lua.breakAt('/tmp/add.lua', 3)
    const run = lua.begin(code, program('/tmp/add.lua'))
    expect(await lua.stop()).toMatchObject({ reason: 'breakpoint', breakpointIds: [1] })
    const { frames } = await lua.target.stackTrace(1, 0, 0)
    expect(frames.map(({ source, line }) => [source, line])).toEqual([
      ['/tmp/add.lua', 3],
      ['/tmp/add.lua', 5],
    ])
    expect(await lua.look('Locals')).toMatchObject({ a: { value: '1' }, sum: { value: '3', type: 'integer' } })
    await lua.go()
    expect(await lua.ended(run)).toMatchObject({ status: 'ok' })
    expect(lua.host.text()).toBe('3\n')
    await lua.engine.dispose()
  })
})
