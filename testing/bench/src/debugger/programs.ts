/** Which code is slowed: nothing attached, a debugger without breakpoints, one line that is never reached, elsewhere or in the function itself. */
export const states = ['off', 'attached', 'elsewhere', 'inside'] as const
export type State = (typeof states)[number]

export const calls = ['fib', 'loop', 'methods'] as const
export type Call = (typeof calls)[number]

export interface Program {
  file: string
  text: string
  /** The work of each call, and a little of it, for compilers to see it once more. */
  work: Record<Call, { title: string; whole: string; little: string }>
  /** Passes the line `@hit` so many times. */
  hits(count: number): string
  /** A condition for that line that is never true. */
  neverTrue: string
  /** Stands in a loop whose lines can be stepped over for ever, with a few locals. */
  steps: string
  /** The 1-based line that ends in `@name`. */
  line(name: string): number
}

const luaText = `
function fib(n)
  if n < 0 then
    error('never') -- @fib
  end
  if n < 2 then return n end
  return fib(n - 1) + fib(n - 2)
end

function loop(n)
  local sum = 0
  for i = 1, n do
    sum = sum + i % 7
    if i < 0 then
      error('never') -- @loop
    end
  end
  return sum
end

Point = {}
Point.__index = Point

function Point:move(by)
  if by < 0 then
    error('never') -- @methods
  end
  self.x = self.x + by
end

function methods(n)
  local point = setmetatable({ x = 0 }, Point)
  for i = 1, n do
    point:move(i)
  end
  return point.x
end

function hits(n)
  local sum = 0
  for i = 1, n do
    sum = sum + i -- @hit
  end
  return sum
end

function steps()
  local name, list, count = 'steps', { 1, 2, 3 }, 0
  while true do
    count = count + 1 -- @step
    list[1] = count
  end
end

function elsewhere()
  return 1 -- @elsewhere
end
`.trimStart()

const typescriptText = `
globalThis.fib = function fib(n: number): number {
  if (n < 0) {
    throw new Error('never') // @fib
  }
  if (n < 2) return n
  return fib(n - 1) + fib(n - 2)
}

globalThis.loop = function loop(n: number): number {
  let sum = 0
  for (let i = 1; i <= n; i++) {
    sum = sum + i % 7
    if (i < 0) {
      throw new Error('never') // @loop
    }
  }
  return sum
}

class Point {
  x = 0
  move(by: number): void {
    if (by < 0) {
      throw new Error('never') // @methods
    }
    this.x = this.x + by
  }
}

globalThis.methods = function methods(n: number): number {
  const point = new Point()
  for (let i = 1; i <= n; i++) {
    point.move(i)
  }
  return point.x
}

globalThis.hits = function hits(n: number): number {
  let sum = 0
  for (let i = 1; i <= n; i++) {
    sum = sum + i // @hit
  }
  return sum
}

globalThis.steps = function steps(): void {
  const name = 'steps', list = [1, 2, 3]
  let count = 0
  while (true) {
    count = count + 1 // @step
    list[0] = count + name.length
  }
}

globalThis.elsewhere = function elsewhere(): number {
  return 1 // @elsewhere
}
`.trimStart()

type Work = Program['work']

function program(file: string, text: string, neverTrue: string, work: Work): Program {
  const lines = text.split('\n')
  return {
    file,
    text,
    work,
    hits: (count) => `hits(${count})`,
    neverTrue,
    steps: 'steps()',
    line(name) {
      const index = lines.findIndex((line) => line.endsWith(`@${name}`))
      if (index < 0) throw new Error(`no line @${name} in ${file}`)
      return index + 1
    },
  }
}

const repeated = (name: string, title: string, count: number): Work[Call] => ({
  title: `${title} ${count >= 1e6 ? `${count / 1e6}M` : `${count / 1e3}k`}`,
  whole: `${name}(${count})`,
  little: `${name}(${count / 100})`,
})

/** The programs, with less work in `quick` runs. */
export function programs(quick: boolean): { lua: Program; typescript: Program } {
  const n = quick ? 0.1 : 1
  const fib = (of: number): Work['fib'] => ({ title: `fib(${of})`, whole: `fib(${of})`, little: `fib(${of - 5})` })
  return {
    lua: program('/llmspell-bench/work.lua', luaText, 'sum == -1', {
      fib: fib(quick ? 22 : 27),
      loop: repeated('loop', 'loop', 2e6 * n),
      methods: repeated('methods', 'method calls', 1e6 * n),
    }),
    // V8 compiles hot code anew, more than once, before it has its speed.
    typescript: program('/llmspell-bench/work.ts', typescriptText, 'sum === -1', {
      fib: fib(quick ? 26 : 32),
      loop: { ...repeated('loop', 'loop', 5e7 * n), little: `loop(${5e6 * n})` },
      methods: { ...repeated('methods', 'method calls', 5e7 * n), little: `methods(${5e6 * n})` },
    }),
  }
}
