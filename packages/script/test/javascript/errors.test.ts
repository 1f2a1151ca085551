import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { engineUnderTest, REPLY_MS, type UnderTest } from './engine-under-test.ts'

vi.setConfig({ testTimeout: 2 * REPLY_MS, hookTimeout: REPLY_MS })

let js: UnderTest
beforeAll(async () => {
  js = engineUnderTest()
  await js.engine.start()
})
afterAll(() => js.engine.dispose())

const errorOf = async (code: string, language: 'javascript' | 'typescript' = 'javascript') =>
  (await js.run(code, { source: 'cell [5]', language })).error

describe('an error', () => {
  it('has name, message, frames of user code only, and its place', async () => {
    expect(await errorOf('function deep() {\n  throw new RangeError("too deep")\n}\ndeep()')).toEqual({
      ename: 'RangeError',
      evalue: 'too deep',
      traceback: ['RangeError: too deep', '    at deep (cell [5]:2:9)', '    at cell [5]:4:1'],
      position: { source: 'cell [5]', line: 2, column: 9 },
    })
  })

  it('has its place after an await, and in callbacks', async () => {
    expect((await errorOf('await null\nnull.x'))?.position).toEqual({ source: 'cell [5]', line: 2, column: 6 })
    expect((await errorOf('[1].map(() =>\n  null.x)'))?.position).toEqual({ source: 'cell [5]', line: 2, column: 8 })
  })

  it('shows causes, collected errors and properties', async () => {
    const error = await errorOf('throw new Error("outer", { cause: Object.assign(new TypeError("inner"), { code: "E1" }) })')
    expect(error?.traceback.join('\n')).toMatch(/^Error: outer\n.*\[cause\]: TypeError: inner\n.*code: 'E1'/s)
    const many = await errorOf('throw new AggregateError([new Error("one"), new Error("two")], "many")')
    expect(many).toMatchObject({ ename: 'AggregateError', evalue: 'many' })
    expect(many?.traceback.join('\n')).toMatch(/\[errors\]: \[\n.*Error: one\n.*Error: two/s)
  })

  it('may have properties that throw', async () => {
    for (const name of ['stack', 'message', 'name', 'cause']) {
      const code = `const bad = new Error("x"); Object.defineProperty(bad, "${name}", { get() { throw new Error("in the getter") } }); throw bad`
      expect((await js.run(`{ ${code} }`)).status).toBe('error')
    }
    expect(await js.value('1 + 1')).toBe('2')
  })

  it('may be any thrown value', async () => {
    for (const [thrown, shown] of [
      ['5', '5'],
      ['null', 'null'],
      ['undefined', 'undefined'],
      ["'text'", "'text'"],
      ['{ a: 1 }', '{ a: 1 }'],
      ['Object.create(null)', '[Object: null prototype] {}'],
    ] as const) {
      expect(await errorOf(`throw ${thrown}`)).toMatchObject({ evalue: shown, traceback: [`Uncaught ${shown}`] })
    }
  })

  it('is described even when the error defends itself', async () => {
    for (const hostile of [
      'Object.defineProperty(new Error("x"), "name", { get() { throw 1 } })',
      'Object.assign(new Error("x"), { [Symbol.for("nodejs.util.inspect.custom")]() { throw 1 } })',
      'Object.defineProperty(new Error("x"), "stack", { value: 5 })',
      'new Proxy(new Error("x"), { get() { throw 1 } })',
    ]) {
      const error = await errorOf(`throw ${hostile}`)
      expect(error?.ename, hostile).toBeTruthy()
      expect(error?.traceback.join(''), hostile).not.toContain('script-thread')
    }
    expect((await errorOf('({ [Symbol.for("nodejs.util.inspect.custom")]() { throw new Error("in inspect") } })'))?.evalue).toBe(
      'in inspect',
    )
  })

  it('of syntax has its place and shows the line', async () => {
    expect(await errorOf('let a = {\n  b: 1,\n  c: = 2\n}')).toEqual({
      ename: 'SyntaxError',
      evalue: "Unexpected token '='",
      traceback: ['cell [5]:3:6', '  c: = 2', '     ^', "SyntaxError: Unexpected token '='"],
      position: { source: 'cell [5]', line: 3, column: 6 },
    })
    const typed = await errorOf('let good: string = "ö"\nlet bad: number = ;', 'typescript')
    expect(typed).toMatchObject({ ename: 'SyntaxError', position: { line: 2, column: 19 } })
    expect(typed?.traceback.at(-1)).toMatch(/^SyntaxError: /)
  })

  it('of syntax runs nothing of the cell and declares nothing', async () => {
    await errorOf('globalThis.ran = true; let = = 1')
    expect(await js.value('typeof ran')).toBe("'undefined'")
  })

  it('of a missing export or module says which', async () => {
    expect((await errorOf('import { nope } from "node:fs"'))?.evalue).toContain("does not provide an export named 'nope'")
    expect((await errorOf('import "nowhere"'))?.evalue).toContain("Cannot find package 'nowhere'")
    expect(await errorOf('require("nowhere")')).toMatchObject({
      evalue: expect.stringContaining("Cannot find module 'nowhere'"),
      position: { line: 1 },
    })
  })

  it('leaves the namespace as it was', async () => {
    await js.run('let kept = 1')
    await errorOf('kept = 2; null.x')
    expect(await js.value('kept')).toBe('2')
  })
})

describe('what nobody catches', () => {
  it('ends the cell it belongs to while that runs', async () => {
    const thrown = await js.run('setTimeout(() => { throw new Error("from a timer") }, 5); await new Promise(() => {})')
    expect(thrown).toMatchObject({ status: 'error', error: { ename: 'Error', evalue: 'from a timer', position: { line: 1 } } })
    const rejected = await js.run('Promise.reject(new Error("rejected")); await new Promise(() => {})')
    expect(rejected).toMatchObject({ status: 'error', error: { evalue: 'rejected' } })
  })

  it('is a text on stderr of its cell afterwards, and the engine lives', async () => {
    const { pid } = js.engine.status
    await js.run('setTimeout(() => { null.late }, 5); setTimeout(() => Promise.reject(new Error("late too")), 10); 0', {
      executionId: 'owner',
    })
    await js.run('await sleep(0.2)', { executionId: 'other' })
    expect(js.text('stderr', 'owner')).toMatch(/Uncaught TypeError: .*'late'.*Uncaught Error: late too/s)
    expect(js.text('stderr', 'other')).toBe('')
    expect(js.engine.status.pid).toBe(pid)
  })
})
