/**
 * Programs of one language for the contract suite. A line is named by `@name` in a comment at its end. Names of variables and functions
 * are the same in every language; so are the expressions that the suite evaluates.
 */
export interface DebugPrograms {
  /** `.lua`: the suite makes paths of it. */
  suffix: string
  /** `total` from 0, `i` from 1 to 5 added to it @body; prints `total 15` @after. @comment holds a comment, the next statement is @adjusted. */
  loop: string
  /** `inner(n)` @inner, called by `outer(n)` @call, @afterCall, called by the top level @top, then @end. Prints `7`. */
  calls: string
  /**
   * At @stop there are `list` (10 × 1…25000), `record` (`name` is `ada`, `nested.deep` is 7, `self` is itself), `text` and `flag`. A
   * function `bump()` adds 1 to the variable `count`; at the end it is printed as `count N`.
   */
  data: string
  /** `value` is 1 @stop; prints `value V`. */
  assign: string
  /** A loop @busy while `stop` is false, then prints `stopped`. */
  busy: string
  /** Raises an error with the message `broken` @raise in `fail()`, with `detail` 42 there, and catches it; prints `caught`. */
  caught: string
  /** As `caught`, but nothing catches it. */
  uncaught: string
  /** A global function `named` @named, called twice; prints `named 1` and `named 2`. */
  named: string
  /** Sets the global variables `answer` to 42 and `greeting` to `hello`. */
  globals: string
  /** Recurses 500 deep in `down(n)`, then @deep. */
  deep: string
  /** An expression: a string of two million characters. */
  longString: string
  /** Optional: as `busy`, but each turn waits for a moment in which nothing runs. */
  waits?: string
  /** Optional: a local `bytes` of 1, 2, 3, 4 @stop. */
  memory?: string
}

export const luaDebugPrograms: DebugPrograms = {
  suffix: '.lua',
  loop: `local total = 0
for i = 1, 5 do
  total = total + i -- @body
end
-- @comment
print('total', total) -- @after @adjusted
`,
  calls: `local function inner(n)
  local doubled = n * 2 -- @inner
  return doubled
end
local function outer(n)
  local got = inner(n) -- @call
  return got + 1 -- @afterCall
end
print(outer(3)) -- @top
print('end') -- @end
`,
  data: `local list = {}
for k = 1, 25000 do list[k] = k * 10 end
local record = { name = 'ada', nested = { deep = 7 } }
record.self = record
local text, flag = 'hello', true
local count = 0
local function bump() count = count + 1 return count end
local here = list -- @stop
print('count', count, bump, record, text, flag, here)
`,
  assign: `local value = 1
local again = value -- @stop
print('value', value)
`,
  busy: `local stop = false
local n = 0
while not stop do
  n = n + 1 -- @busy
end
print('stopped')
`,
  caught: `local function fail()
  local detail = 42
  error('broken') -- @raise
end
pcall(fail)
print('caught')
`,
  uncaught: `local function fail()
  local detail = 42
  error('broken') -- @raise
end
fail()
`,
  named: `function named(x)
  print('named', x) -- @named
end
named(1)
named(2)
`,
  globals: `answer = 42
greeting = 'hello'
`,
  deep: `local function down(n)
  if n == 0 then
    return 0 -- @deep
  end
  return 1 + down(n - 1)
end
print(down(500))
`,
  longString: "string.rep('x', 2000000)",
}

export const javascriptDebugPrograms: DebugPrograms = {
  suffix: '.js',
  loop: `let total = 0
for (let i = 1; i <= 5; i++) {
  total = total + i // @body
}
// @comment
console.log('total', total) // @after @adjusted
`,
  calls: `function inner(n) {
  const doubled = n * 2 // @inner
  return doubled
}
function outer(n) {
  const got = inner(n) // @call
  return got + 1 // @afterCall
}
console.log(outer(3)) // @top
console.log('end') // @end
`,
  data: `function main() {
  const list = []
  for (let k = 1; k <= 25000; k++) list.push(k * 10)
  const record = { name: 'ada', nested: { deep: 7 } }
  record.self = record
  const text = 'hello', flag = true
  let count = 0
  function bump() { count = count + 1; return count }
  const here = list // @stop
  console.log('count', count, typeof bump, record.name, text, flag, here.length)
}
main()
`,
  assign: `function main() {
  let value = 1
  const again = value // @stop
  console.log('value', value)
}
main()
`,
  busy: `function main() {
  let stop = false
  let n = 0
  while (!stop) {
    n = n + 1 // @busy
  }
  console.log('stopped')
}
main()
`,
  caught: `function fail() {
  const detail = 42
  throw new Error('broken') // @raise
}
try { fail() } catch {}
console.log('caught')
`,
  uncaught: `function fail() {
  const detail = 42
  throw new Error('broken') // @raise
}
fail()
`,
  named: `globalThis.named = function named(x) {
  console.log('named', x) // @named
}
named(1)
named(2)
`,
  globals: `globalThis.answer = 42
globalThis.greeting = 'hello'
`,
  deep: `function down(n) {
  if (n === 0) {
    return 0 // @deep
  }
  return 1 + down(n - 1)
}
console.log(down(500))
`,
  longString: "'x'.repeat(2000000)",
  waits: `async function main() {
  let stop = false
  let n = 0
  while (!stop) {
    n = n + 1 // @busy
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  console.log('stopped')
}
await main()
`,
  memory: `function main() {
  const bytes = new Uint8Array([1, 2, 3, 4])
  console.log('bytes', bytes.length) // @stop
}
main()
`,
}

/** The same with types: positions must not move when they are taken away. */
export const typescriptDebugPrograms: DebugPrograms = {
  ...javascriptDebugPrograms,
  suffix: '.ts',
  loop: javascriptDebugPrograms.loop.replace('let total = 0', 'interface Unused {\n  a: string\n}\nlet total: number = 0'),
  calls: javascriptDebugPrograms.calls.replaceAll('(n) {', '(n: number): number {'),
  data: javascriptDebugPrograms.data
    .replace('const list = []', 'const list: number[] = []')
    .replace('const record =', 'const record: { name: string; nested: { deep: number }; self?: unknown } ='),
  deep: javascriptDebugPrograms.deep.replace('down(n) {', 'down(n: number): number {'),
}
