import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { engineUnderTest, REPLY_MS, type UnderTest } from './engine-under-test.ts'

vi.setConfig({ testTimeout: 2 * REPLY_MS, hookTimeout: REPLY_MS })

let js: UnderTest
beforeAll(async () => {
  js = engineUnderTest()
  await js.engine.start()
})
afterAll(() => js.engine.dispose())

describe('a cell', () => {
  /** Every way to declare X, and what X (or X()) is afterwards. */
  const declarations: Record<string, [code: string, value: string]> = {
    var: ['var X = 1', '1'],
    'var without value': ['var X; X = 9', '9'],
    let: ['let X = 2', '2'],
    const: ['const X = 3', '3'],
    class: ['class X { static value = 4 }', '4'],
    function: ['function X() { return 5 }', '5'],
    'let pattern': ['let { X } = { X: 6 }', '6'],
    'var pattern': ['var { a: [X] } = { a: [7] }', '7'],
    'const pattern': ['const [X, ...rest] = [8]', '8'],
    import: ['import { EOL as X } from "node:os"', "'\\n'"],
    'var in a block': ['{ for (var X of [10]); }', '10'],
  }

  for (const [first, [one]] of Object.entries(declarations)) {
    it(`may declare again what ${first} has declared`, async () => {
      for (const [index, [second, value]] of Object.values(declarations).entries()) {
        const name = `N${first.replaceAll(' ', '')}${index}`
        expect((await js.run(one.replaceAll('X', name))).error).toBeUndefined()
        const again = await js.run(second.replaceAll('X', name))
        expect(again.error, second).toBeUndefined()
        expect(await js.value(`typeof ${name} === 'function' ? ${name}.value ?? ${name}() : ${name}`), `${one}, then ${second}`).toBe(value)
      }
    })
  }

  const values: Record<string, string | undefined> = {
    '1 + 1': '2',
    "'text'": "'text'",
    null: 'null',
    undefined: undefined,
    '10n ** 20n': '100000000000000000000n',
    'Symbol("s")': 'Symbol(s)',
    '-0': '-0',
    NaN: 'NaN',
    'new Map([[1, { a: 2 }]])': 'Map(1) { 1 => { a: 2 } }',
    '{ a: 1, b: 2 }': '{ a: 1, b: 2 }',
    '{a: 1}': '{ a: 1 }',
    'if (true) { 7 }': '7',
    'for (let i = 0; i < 3; i++) i': '2',
    'Promise.resolve(4)': 'Promise { 4 }',
    'await Promise.resolve(5)': '5',
    'async function later() { return 6 }; await later()': '6',
    'let declared = 1': undefined,
    'let again = 1; again + 1': '2',
    'const { p, ...others } = { p: 1, q: 2 }; [p, others]': '[ 1, { q: 2 } ]',
    'for await (const x of (async function* () { yield 8 })()) x': '8',
    '// nothing': undefined,
    '': undefined,
    '(function named() {})': '[Function: named]',
    'new Proxy({}, {})': '{}',
    'globalThis === this': 'true',
  }
  for (const [code, value] of Object.entries(values)) {
    it(`has the value ${value} for ${JSON.stringify(code)}`, async () => {
      const outcome = await js.run(code)
      expect(outcome).toEqual({ status: 'ok', ...(value !== undefined && { result: { 'text/plain': value } }) })
    })
  }

  it('shows a value that knows its bundle', async () => {
    const methods = [
      "[Symbol.for('Jupyter.display')]: () => BUNDLE",
      "[Symbol.for('Jupyter.display')]: async () => BUNDLE",
      'toMime: () => BUNDLE',
    ]
    for (const method of methods) {
      const outcome = await js.run(`({ ${method.replace('BUNDLE', "({ 'text/html': '<b>x</b>' })")} })`)
      expect(outcome.result).toMatchObject({ 'text/html': '<b>x</b>', 'text/plain': expect.any(String) })
    }
  })

  it('keeps constants constant, but lets them be declared again', async () => {
    expect(await js.value('const fixed = 1; fixed = 2')).toBe('TypeError: Assignment to constant variable.')
    expect(await js.value('fixed++')).toBe('TypeError: Assignment to constant variable.')
    expect(await js.value('(function (fixed) { fixed = 5; return fixed })(1)')).toBe('5')
    expect(await js.value('{ let fixed = 1; fixed += 1; fixed }')).toBe('2')
    expect(await js.value('fixed')).toBe('1')
    expect(await js.value('let fixed = 3; fixed = 4')).toBe('4')
  })

  it('sees Args and process.argv', async () => {
    expect(await js.value('[...Args, process.argv.slice(1).join()]', { args: ['a', 'b'] })).toBe("[ 'a', 'b', 'a,b' ]")
  })

  it('runs in the directory asked for, for as long', async () => {
    const before = await js.value('process.cwd()')
    expect(await js.value('process.cwd()', { cwd: '/' })).toBe("'/'")
    expect(await js.value('process.cwd()')).toBe(before)
    expect(await js.value(`process.chdir('/'); process.cwd()`)).toBe("'/'")
    expect(await js.value('process.cwd()')).toBe("'/'")
    await js.run(`process.chdir(${before})`)
  })

  it('has the environment given and nothing of the kernel', async () => {
    expect(await js.value('Object.keys(process.env).sort()')).toBe("[ 'HOME', 'PATH' ]")
    expect(await js.value('process.execArgv.join().includes("secret")')).toBe('false')
  })
})

describe('TypeScript', () => {
  const typescript = { language: 'typescript' } as const
  const values: Record<string, string | undefined> = {
    'interface Spell { name: string }\nconst spell: Spell = { name: "x" }\nspell': "{ name: 'x' }",
    'let list: Array<number> = [1, 2]; list.map((n: number): string => `${n}`)': "[ '1', '2' ]",
    'enum Color { Red, Green = "g" }\nColor.Green': "'g'",
    'namespace Space { export const inner = 1 }\nSpace.inner': '1',
    'class Point { constructor(public x: number, private y = 2) {} }\nnew Point(1)': 'Point { x: 1, y: 2 }',
    'type Only = string': undefined,
    'import type { Stats } from "node:fs"; import { type Dirent, existsSync } from "node:fs"; typeof existsSync': "'function'",
    'await Promise.resolve(3 as unknown as string)': '3',
    '{ a: 1 as number, b: 2 }': '{ a: 1, b: 2 }',
    'function generic<T>(value: T): T { return value }\ngeneric<number>(4)': '4',
  }
  for (const [code, value] of Object.entries(values)) {
    it(`has the value ${value} for ${JSON.stringify(code)}`, async () => {
      expect(await js.value(code, typescript)).toBe(value)
    })
  }

  it('shares its variables with JavaScript', async () => {
    await js.run('const shared: number = 42', typescript)
    expect(await js.value('shared + 1')).toBe('43')
  })

  it('gives exact places in errors', async () => {
    const outcome = await js.run('interface A { b: string }\nlet a: A | null = null as A | null\n\n  ;(a as A).b', {
      ...typescript,
      source: 'cell [9]',
    })
    expect(outcome.error?.position).toEqual({ source: 'cell [9]', line: 4, column: 13 })
  })

  it('gives right lines in errors of transformed code, also in later cells', async () => {
    const code = 'enum Kind { A, B }\n\n\nfunction explode(): never {\n  throw new Error("boom")\n}'
    await js.run(code, { ...typescript, source: 'cell [1]' })
    const outcome = await js.run('explode()', { ...typescript, source: 'cell [2]' })
    expect(outcome.error?.traceback.join('\n')).toMatch(/at explode \(cell \[1\]:5:\d+\)\n {4}at cell \[2\]:1:1/)
    expect(await js.value('try { explode() } catch (error) { error.stack.split("\\n")[1].trim() }', typescript)).toMatch(/cell \[1\]:5:/)
  })
})
