import { parse as acornParse } from 'acorn'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Declarations } from '../../../src/javascript/source/declarations.ts'
import { isComplete } from '../../../src/javascript/source/is-complete.ts'
import { parse } from '../../../src/javascript/source/parse.ts'
import { prepare } from '../../../src/javascript/source/prepare.ts'
import { type Rewritten, rewrite } from '../../../src/javascript/source/rewrite.ts'

function rewritten(code: string, names = new Declarations()): Rewritten {
  const parsed = parse(code)
  if ('problem' in parsed) throw new Error(`${parsed.problem.message} in ${code}`)
  return rewrite(code, parsed.program, names)
}

describe('rewrite', () => {
  it('keeps columns of dynamic imports, import.meta and constants', () => {
    expect(rewritten('const a = import("x"), b = import.meta.url').code).toBe('let   a = $imprt("x"), b = $importMeta.url')
    expect(rewritten('export const a = 1; export { a as b }; export default a').code.trimEnd()).toMatch(/^ {7}let {3}a = 1; +\(?a\)?$/)
  })

  it('makes static imports dynamic on their lines', () => {
    const code = "import d, {\n  a as b,\n} from 'x'\nimport * as n from 'y' with { type: 'json' }\nimport 'z'; import e, * as f from 'w'\n"
    const result = rewritten(code).code
    expect(result.split('\n')).toHaveLength(code.split('\n').length)
    expect(result.replaceAll(/\s+/g, ' ')).toBe(
      `let {"default": d, "a": b} = await $imprt('x', undefined, ["default", "a"]); let n = await $imprt('y', {with: {type: 'json'}}); await $imprt('z'); let f = await $imprt('w', undefined, ["default"]), {"default": e} = f; `,
    )
  })

  it('assigns to names of the other group, and declares the new ones before', () => {
    const names = new Declarations()
    rewritten('var v; function f() {} let l; class C {}', names)
    expect(rewritten('let v = 1, fresh = 2', names)).toEqual({
      code: '    v = 1, fresh = 2',
      preamble: 'let fresh;',
      noValue: true,
      repl: true,
    })
    expect(rewritten('var { l } = o', names).code).toBe('    ;({ l } = o)')
    expect(rewritten('for (var l of list);', names).code).toBe('for (    l of list);')
    expect(rewritten('class f {}', names).code).toBe('f=class f {}')
    const hoisted = rewritten('l()\n\n  function l() { return 1 }', names)
    expect(hoisted.code.trimEnd()).toBe('l()')
    expect(hoisted.preamble).toBe('\nl=\n  function l() { return 1 };')
  })

  it('says which cells need the REPL mode of V8', () => {
    for (const code of ['1 + 1', 'var a = 1', 'function f() {}', 'f(() => { let x })']) expect(rewritten(code).repl, code).toBeUndefined()
    for (const code of ['await 1', 'let a', 'const a = 1', 'class A {}', 'import "x"']) expect(rewritten(code).repl, code).toBe(true)
  })

  it('finds assignments to constants by scope', () => {
    const names = new Declarations()
    rewritten('const c = 1; let l = 2', names)
    for (const code of ['c = 1', 'c += 1', 'c++', '--c', 'c ??= 1', 'if (x) { c = 2 }', '() => { c = 3 }', 'for (c = 0;;);']) {
      expect(rewritten(code, names).code, code).toContain('$const(')
    }
    for (const code of [
      'l = 1',
      'o.c = 1',
      '(c) => { c = 1 }',
      '{ let c; c = 1 }',
      'function f() { if (x) { var c = 1 } c = 2 }',
      'try {} catch (c) { c = 1 }',
      'for (let c = 0; ; c++);',
      '(function c() { c = 1 })',
    ]) {
      expect(rewritten(code, names).code, code).not.toContain('$const(')
    }
  })

  it('gives JavaScript with as many lines for whatever statements come together', () => {
    const names = fc.constantFrom('a', 'b', 'c')
    const statement = fc.oneof(
      fc
        .tuple(fc.constantFrom('var', 'let', 'const'), names, names)
        .map(([kind, x, y]) => `${kind} { ${x}, z: [${y}${x === y ? '2' : ''} = 1] } = o;`),
      fc.tuple(fc.constantFrom('var', 'let'), names).map(([kind, x]) => `${kind} ${x};`),
      names.map((x) => `class ${x} {\n  m() { return import('x') }\n}`),
      names.map((x) => `function ${x}() {\n  return import.meta }`),
      names.map((x) => `import ${x}, {\n  y as ${x}3 } from 'm';`),
      names.map((x) => `for (var ${x} of [1]) {\n }`),
      names.map((x) => `${x} = () => { ${x}++ };`),
      names.map((x) => `export const ${x} = 1\n;`),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(statement, statement), { maxLength: 5 }), (cells) => {
        const declared = new Declarations()
        for (const cell of cells) {
          const code = cell.join('\n')
          const parsed = parse(code)
          if ('problem' in parsed) continue
          const result = rewrite(code, parsed.program, declared)
          expect(result.code.split('\n')).toHaveLength(code.split('\n').length)
          const options = { ecmaVersion: 'latest', sourceType: 'script', allowAwaitOutsideFunction: true } as const
          for (const output of [result.code, result.preamble ?? '']) expect(() => acornParse(output, options), output).not.toThrow()
        }
      }),
    )
  })
})

describe('prepare and isComplete', () => {
  it('never fail, whatever the code', () => {
    const text = fc.oneof(
      fc.string(),
      fc
        .array(fc.constantFrom('let ', 'x', '{', '}', '(', ')', '`', '"', '\n', 'import ', ': ', 'enum ', '=>', '🚀', '//', '/*', '<T>'), {
          maxLength: 12,
        })
        .map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(text, fc.constantFrom('javascript', 'typescript'), (code, language) => {
        const prepared = prepare(code, language, 'cell', new Declarations())
        if ('error' in prepared) expect(prepared.error.traceback.at(-1)).toBe(`SyntaxError: ${prepared.error.evalue}`)
        expect(['complete', 'incomplete', 'invalid']).toContain(isComplete(code, language).status)
      }),
      { numRuns: 300 },
    )
  })

  it('ask for more lines where they can help, with an indent', () => {
    const cases: Record<string, string> = {
      'let a = {': '  ',
      'foo(': '  ',
      '`text': '',
      '/* comment': '',
      '1 +': '',
      'function f() {\n  return [': '    ',
      'if (x)': '',
      'const f = () =>': '  ',
      'class A {\n  m() {': '    ',
    }
    for (const language of ['javascript', 'typescript'] as const) {
      for (const [code, indent] of Object.entries(cases)) expect(isComplete(code, language), code).toEqual({ status: 'incomplete', indent })
      for (const code of ['', '1', 'let a = 1', 'await x', 'import "x"', 'f(\n)'])
        expect(isComplete(code, language).status, code).toBe('complete')
      for (const code of ['let = =', '"open', ')', 'a b']) expect(isComplete(code, language).status, code).toBe('invalid')
    }
    expect(isComplete('interface A {\n  b: number', 'typescript')).toEqual({ status: 'incomplete', indent: '  ' })
  })
})
