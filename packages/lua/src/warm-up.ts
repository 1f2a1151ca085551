import type { LuaModule } from './module.ts'
import { LuaVM } from './vm.ts'

const BUSY_MS = 10

/** Short calls: V8 cannot replace a WASM function that is running, so what it optimises is used from the next entry on. */
const SOURCE = `
  local function work(n)
    local t, s = {}, 0
    for i = 1, 200 do
      t[i] = i * n
      s = s + #tostring(i) + (t[i] % 7) // 2
    end
    local o = setmetatable({ v = 1 }, { __index = { get = function(self) return self.v end } })
    for _ = 1, 20 do s = s + o:get() end
    table.sort(t, function(a, b) return a > b end)
    return ("x"):rep(10):gsub("x", "y") .. s
  end
  for i = 1, 20 do pcall(work, i) end
`

/**
 * Runs Lua for about 10 ms, so that V8 compiles the hot parts of the interpreter with its optimising compiler. Code belongs to the
 * module: do it once in a process, with any worker. It takes effect for calls that begin about 100 ms later.
 */
export function warmUp(module: LuaModule): void {
  const vm = LuaVM.create(module)
  const work = vm.load(SOURCE, '=(warm-up)')
  for (const end = performance.now() + BUSY_MS; performance.now() < end; ) vm.call(work, [], { results: 'none' })
  vm.dispose()
}
