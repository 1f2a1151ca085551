import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run, toolPath } from '@llmspell/testkit'
import type { Call, Program, State } from './programs.ts'
import type { Subject } from './subject.ts'

const WAIT_MS = 300_000

/** As debuggers for the stock interpreter do it: a hook at each line, a table of lines, and the source only where the line fits. */
const driver = `
local file, little, whole, line = arg[1], arg[2], arg[3], tonumber(arg[4])
assert(loadfile(file))()
local breakpoints = line and { [line] = { ['@' .. file] = true } } or {}
if arg[4] ~= 'off' then
  local getinfo = debug.getinfo
  debug.sethook(function(_, at)
    local sources = breakpoints[at]
    if sources and sources[getinfo(2, 'S').source] then error('stopped') end
  end, 'l')
end
load(little)()
whole = load(whole)
local from = os.clock()
whole()
io.write((os.clock() - from) * 1000)
`

export function luaHookSubject(program: Program): Subject {
  const native = toolPath('lua')
  if (!native) throw new Error('lua5.4 is not installed')
  const dir = mkdtempSync(join(tmpdir(), 'llmspell-bench-'))
  const [hook, file] = [join(dir, 'hook.lua'), join(dir, 'work.lua')]
  writeFileSync(hook, driver)
  writeFileSync(file, program.text)
  return {
    name: 'lua5.4, line hook',
    async time(call: Call, state: State) {
      const { little, whole } = program.work[call]
      const line = { off: 'off', attached: 'none', elsewhere: String(program.line('elsewhere')), inside: String(program.line(call)) }
      const { code, stdout, stderr } = await run(native, [hook, file, little, whole, line[state]], { timeout: WAIT_MS })
      if (code !== 0) throw new Error(stderr)
      return Number(stdout)
    },
    async close() {
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
