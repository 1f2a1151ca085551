#!/usr/bin/env node
/**
 * CPU time of the WebAssembly build against the lua5.4 binary: interleaved rounds, medians of the ratios of each round.
 *
 *   node bench/lua-cpu.mjs [--rounds 7] [--lua lua5.4] [--json]
 *
 * Exit code 1 when a ratio is above its limit.
 */
import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { compileLua, LuaVM, warmUp } from '@llmspell/lua'

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '7' }, lua: { type: 'string', default: 'lua5.4' }, json: { type: 'boolean' } },
})

const WARM_UP_SETTLES_MS = 150

/** Name, limit of the ratio, code. */
const benches = [
  ['fib(30)', 1.8, 'local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end fib(30)'],
  ['loop 10M', 1.8, 'local s = 0 for i = 1, 10000000 do s = s + i % 7 end'],
  [
    'method calls 5M',
    1.8,
    'local C = {} C.__index = C function C:add(n) self.n = self.n + n end local o = setmetatable({ n = 0 }, C) for i = 1, 5000000 do o:add(1) end',
  ],
  [
    'string build',
    1.4,
    'local t = {} for i = 1, 300000 do t[#t + 1] = ("item " .. i):upper() end local s = table.concat(t, ",") s:gsub("ITEM", "x")',
  ],
  ['sort 300k', 1.4, 'math.randomseed(42) local t = {} for i = 1, 300000 do t[i] = math.random(1000000) end table.sort(t)'],
  [
    'sort, comparator 100k',
    1.7,
    'math.randomseed(42) local t = {} for i = 1, 100000 do t[i] = math.random(1000000) end table.sort(t, function(a, b) return a > b end)',
  ],
  ['small tables 1M', 1.7, 'local last for i = 1, 1000000 do last = { i, x = i } end'],
  ['closure + pcall 1M', 1.7, 'local n = 0 for i = 1, 1000000 do pcall(function() n = n + i end) end'],
  ['pcall(error) 100k', 8, 'for i = 1, 100000 do pcall(error, "x") end'],
  [
    'coroutine switch 1M',
    9,
    'local co = coroutine.wrap(function() while true do coroutine.yield() end end) for i = 1, 1000000 do co() end',
  ],
]

const timed = (code) => `local start = os.clock() ${code} return os.clock() - start`
const native = (code) => Number(execFileSync(options.lua, ['-e', `print((function() ${timed(code)} end)())`], { encoding: 'utf8' }))
const print = (line) => process.stdout.write(`${line}\n`)
const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]

const module = compileLua()
warmUp(module)
await sleep(WARM_UP_SETTLES_MS)
const vm = LuaVM.create(module)
// The processor's time, as os.clock of lua5.4 is: what else the machine does must not count.
const ours = (code) => {
  const before = process.cpuUsage()
  vm.execute(code)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}

const rows = []
for (const [name, limit, code] of benches) {
  ours(code)
  await sleep(WARM_UP_SETTLES_MS)
  const rounds = Array.from({ length: Number(options.rounds) }, () => ({ native: native(code), ours: ours(code) }))
  rows.push({
    name,
    limit,
    nativeMs: median(rounds.map((round) => round.native)) * 1000,
    oursMs: median(rounds.map((round) => round.ours)) * 1000,
    ratio: median(rounds.map((round) => round.ours / round.native)),
  })
}

if (options.json) print(JSON.stringify(rows, null, 2))
else {
  print(`${'bench'.padEnd(24)}${'lua5.4 ms'.padStart(12)}${'ours ms'.padStart(12)}${'ratio'.padStart(8)}${'at most'.padStart(9)}`)
  for (const { name, nativeMs, oursMs, ratio, limit } of rows)
    print(
      `${name.padEnd(24)}${nativeMs.toFixed(1).padStart(12)}${oursMs.toFixed(1).padStart(12)}${ratio.toFixed(2).padStart(8)}${limit.toFixed(1).padStart(9)}${ratio > limit ? '  above' : ''}`,
    )
}
process.exitCode = rows.some(({ ratio, limit }) => ratio > limit) ? 1 : 0
