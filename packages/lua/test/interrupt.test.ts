import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, it } from 'vitest'
import { compileLua, LuaControl, type WasmMemory } from '../src/index.ts'

const STARTED_WITHIN = 20_000
const STOPPED_WITHIN = 20_000
const GRACE = 100
const TEST_TIMEOUT = 60_000

interface Outcome {
  type: string
  values?: unknown[]
  name?: string
  message?: string
  traceback?: string
}

const module = compileLua()

class LuaWorker {
  control: LuaControl | undefined
  readonly #worker: Worker
  readonly #received: Outcome[] = []
  #wake: () => void = () => {}

  constructor(onEvent?: string) {
    this.#worker = new Worker(new URL('./fixtures/worker.mjs', import.meta.url), { workerData: { module, onEvent } })
    this.#worker.on('message', (message: Outcome & { memory: WasmMemory; controlAddress: number }) => {
      if (message.type === 'ready') this.control = new LuaControl(message.memory, message.controlAddress)
      this.#received.push(message)
      this.#wake()
    })
    this.#worker.on('error', (error) => {
      this.#received.push({ type: 'failed', name: 'WorkerError', message: error.message })
      this.#wake()
    })
  }

  run(code: string): void {
    this.#worker.postMessage(code)
  }

  async next(types: readonly string[], milliseconds: number): Promise<Outcome> {
    const deadline = Date.now() + milliseconds
    for (;;) {
      const index = this.#received.findIndex((message) => types.includes(message.type))
      if (index >= 0) return this.#received.splice(index, 1)[0] as Outcome
      const left = deadline - Date.now()
      if (left <= 0) throw new Error(`the worker sent no ${types.join(' or ')} within ${milliseconds} ms`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  async evaluate(code: string): Promise<unknown> {
    this.run(code)
    const outcome = await this.next(['done', 'failed'], STARTED_WITHIN)
    return outcome.type === 'done' ? outcome.values : outcome
  }

  /** Soft, then hard after the grace period, as a kernel does it. */
  async interrupt(): Promise<Outcome & { hard: boolean }> {
    this.control?.attention()
    let hard = false
    const timer = setTimeout(() => {
      hard = true
      this.control?.interruptHard()
    }, GRACE)
    const outcome = await this.next(['done', 'failed'], STOPPED_WITHIN)
    clearTimeout(timer)
    return { ...outcome, hard }
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }
}

let worker: LuaWorker

afterEach(async () => {
  await worker.close()
})

const loop = 'while true do end'

const cases: [string, string, string?][] = [
  ['a loop', loop],
  ['endless calls', 'local function f() end while true do f() end'],
  ['endless tail calls', 'local function f() return f() end f()'],
  ['a goto loop', '::again:: goto again'],
  ['pcall around a loop, for ever', `while true do pcall(function() ${loop} end) end`],
  [
    'twenty nested such loops',
    `local function nest(n) while true do pcall(n == 0 and function() ${loop} end or function() nest(n - 1) end) end end nest(20)`,
  ],
  ['xpcall whose handler loops', `while true do xpcall(function() ${loop} end, function() ${loop} end) end`],
  ['a loop in a coroutine', `coroutine.wrap(function() ${loop} end)()`],
  ['coroutine.resume that swallows errors', `while true do coroutine.resume(coroutine.create(function() ${loop} end)) end`],
  [
    'a sort comparator',
    `local t = {} for i = 1, 100 do t[i] = i end while true do pcall(table.sort, t, function(a, b) for i = 1, 100 do end return a < b end) end`,
  ],
  ['a blocking host call', 'block()'],
  ['pcall around a blocking host call, for ever', 'while true do pcall(block) end'],
  ['making strings', 'local s = "" while true do s = s .. "x" if #s > 10000 then s = "" end end'],
  ['a loop in a finalizer', `setmetatable({}, {__gc = function() ${loop} end}) while true do collectgarbage() end`],
  ['a pattern with endless backtracking', '(("a"):rep(30)):find(("a?"):rep(30) .. ("a"):rep(31))'],
  ['a gsub that backtracks', 'return (("x"):rep(1000000)):gsub(".-.-.-.-y", "")'],
  ['a string of a gigabyte', 'while true do local s = ("x"):rep(1000000000) end'],
  ['a sort without comparator', 'table.sort(big)', 'big = {} for i = 1, 1000000 do big[i] = (i * 7919) % 1000003 end'],
  ['a huge table.concat', 'while true do table.concat(big, ",") end', 'big = {} for i = 1, 1000000 do big[i] = "element" end'],
  ['a plain find that is quadratic', '(("a"):rep(1000000)):find(("a"):rep(500000) .. "b", 1, true)'],
  [
    'table.move over a range without end',
    'table.move(setmetatable({}, {__index = function() return 1 end}), 1, math.maxinteger - 1, 2, setmetatable({}, {__newindex = function() end}))',
  ],
]

describe('an interrupt from another thread stops', () => {
  it.each(cases)(
    '%s, and keeps the state',
    async (_name, code, prepare) => {
      worker = new LuaWorker()
      await worker.next(['ready'], STARTED_WITHIN)
      await worker.evaluate(`kept = "state" ${prepare ?? ''}`)
      worker.run(`started(); ${code}`)
      await worker.next(['started'], STARTED_WITHIN)
      await new Promise((resolve) => setTimeout(resolve, 20))
      const outcome = await worker.interrupt()
      expect(outcome).toMatchObject({ type: 'failed', name: 'LuaInterrupted', message: 'interrupted' })
      expect(await worker.evaluate('return kept, pcall(error, "x")')).toEqual(['state', false, 'x'])
    },
    TEST_TIMEOUT,
  )
})

describe('an interrupt', () => {
  it('can be caught while it is soft', async () => {
    worker = new LuaWorker()
    await worker.next(['ready'], STARTED_WITHIN)
    worker.run(`local ok, message = pcall(function() started() ${loop} end) return ok, message, "went on"`)
    await worker.next(['started'], STARTED_WITHIN)
    worker.control?.attention()
    expect(await worker.next(['done', 'failed'], STOPPED_WITHIN)).toMatchObject({ type: 'done', values: [false, 'interrupted', 'went on'] })
  })

  it('tells where', async () => {
    worker = new LuaWorker()
    await worker.next(['ready'], STARTED_WITHIN)
    worker.run(`\nlocal function spin() started()\n  ${loop}\nend\nspin()`)
    await worker.next(['started'], STARTED_WITHIN)
    const { traceback } = await worker.interrupt()
    expect(traceback).toContain("cell:3: in local 'spin'")
    expect(traceback).toContain('cell:5: in main chunk')
  })

  it('of the hard kind closes to-be-closed variables on the way', async () => {
    worker = new LuaWorker()
    await worker.next(['ready'], STARTED_WITHIN)
    worker.run(
      `started() local c <close> = setmetatable({}, {__close = function() ${loop} end}) while true do pcall(function() ${loop} end) end`,
    )
    await worker.next(['started'], STARTED_WITHIN)
    worker.control?.interruptHard()
    expect(await worker.next(['done', 'failed'], STOPPED_WITHIN)).toMatchObject({ name: 'LuaInterrupted' })
    expect(await worker.evaluate('return 1')).toEqual([1])
  })

  it('that comes too late does not hit the next call', async () => {
    worker = new LuaWorker()
    await worker.next(['ready'], STARTED_WITHIN)
    worker.control?.interruptHard()
    expect(await worker.evaluate('local n = 0 for i = 1, 1e5 do n = n + 1 end return n')).toEqual([100000])
  })
})

describe('attention', () => {
  it('calls the host and goes on', async () => {
    worker = new LuaWorker('continue')
    await worker.next(['ready'], STARTED_WITHIN)
    worker.run(`started() while not stop do end`)
    await worker.next(['started'], STARTED_WITHIN)
    for (let i = 0; i < 3; i++) {
      worker.control?.attention()
      await worker.next(['event'], STOPPED_WITHIN)
    }
    worker.control?.interruptHard()
    expect(await worker.next(['done', 'failed'], STOPPED_WITHIN)).toMatchObject({ name: 'LuaInterrupted' })
  })
})
