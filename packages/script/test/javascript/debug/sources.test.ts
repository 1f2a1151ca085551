import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { REPLY_MS } from '../engine-under-test.ts'
import { type Debugged, debugged } from './debugger-under-test.ts'

let js: Debugged
let folder: string
beforeEach(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'llmspell-debug-')))
  js = debugged({ cwd: folder })
  await js.engine.start()
  await js.target.attach({})
})
afterEach(async () => {
  await js.engine.dispose()
  rmSync(folder, { recursive: true })
})

function file(name: string, text: string): string {
  const path = join(folder, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, text)
  return path
}

const DOUBLE = 'export function double(x) {\n  const result = x * 2\n  return result\n}\n'

describe('sources of JavaScript', { timeout: 2 * REPLY_MS }, () => {
  it('are imported modules, with breakpoints set before they are loaded', async () => {
    const path = file('double.mjs', DOUBLE)
    expect(await js.breakAt(path, 2)).toMatchObject([{ verified: false }])
    const outcome = js.start("import { double } from './double.mjs'\ndouble(21)")
    expect(await js.stopped()).toMatchObject({ reason: 'breakpoint', breakpointIds: [1] })
    expect(js.events).toContainEqual({ type: 'breakpoint', breakpoint: { id: 1, verified: true, line: 2 } })
    expect(await js.places()).toEqual(['double:2', '(top level):2'])
    expect((await js.frames())[0]?.source).toBe(path)
    await js.go()
    expect((await outcome).result?.['text/plain']).toBe('42')
    expect(await js.target.loadedSources()).toContain(path)
  })

  it('are CommonJS files, from their first line on', async () => {
    const path = file('a folder/common.cjs', 'const secret = 40\nmodule.exports = secret + 2\n')
    await js.breakAt(path, 2)
    const outcome = js.start("require('./a folder/common.cjs')")
    await js.stopped()
    expect((await js.frames())[0]).toMatchObject({ source: path, line: 2 })
    expect(await js.scope('Local')).toMatchObject({ secret: '40' })
    await js.go()
    expect((await outcome).result?.['text/plain']).toBe('42')
  })

  it('are TypeScript files, stripped or transformed', async () => {
    const plain = file(
      'plain.ts',
      'export interface Shape {\n  sides: number\n}\nexport function sides(shape: Shape): number {\n  return shape.sides\n}\n',
    )
    const enums = file(
      'enums.ts',
      '// 한국어 🎉\nexport enum Colour {\n  Red,\n  Green,\n}\nexport class Point {\n  constructor(public x: number, private readonly y: number) {}\n  sum(): number {\n    const 합계 = this.x + this.y\n    return 합계\n  }\n}\n',
    )
    expect(await js.breakAt(plain, 5)).toMatchObject([{ verified: false }])
    await js.breakAt(enums, 10)
    const outcome = js.start(
      "import { sides } from './plain.ts'\nimport { Colour, Point } from './enums.ts'\nsides({ sides: 3 }) + new Point(1, 2).sum() + Colour.Green\nvar after = 1\nafter",
    )
    await js.stopped()
    expect((await js.frames())[0]).toMatchObject({ name: 'sides', source: plain, line: 5, column: 3 })
    await js.go()
    await js.stopped()
    expect((await js.frames())[0]).toMatchObject({ name: 'sum', source: enums, line: 10, column: 5 })
    expect(await js.scope('Local')).toMatchObject({ 합계: '3' })
    await js.go('stepOut')
    await js.stopped()
    expect((await js.frames())[0]).toMatchObject({ source: 'cell [1]', line: 4 })
    await js.go()
    expect((await outcome).result?.['text/plain']).toBe('1')
  })

  it('are cells with an enum, whose lines stay those that were written', async () => {
    await js.breakAt('cell [1]', 9)
    const code =
      'enum Size {\n  Small,\n  Large = 10,\n}\nnamespace Deep {\n  export const inner = 1\n}\nfunction measure(size: Size): number {\n  const 크기 = size + Deep.inner // 😀\n  return 크기\n}\nmeasure(Size.Large)'
    const outcome = js.start(code, { language: 'typescript' })
    await js.stopped()
    expect(await js.places()).toEqual(['measure:9', '(top level):12'])
    await js.go('next')
    await js.stopped()
    expect(await js.places()).toEqual(['measure:10', '(top level):12'])
    expect(await js.scope('Local')).toMatchObject({ 크기: '11' })
    expect(await js.target.sourceText('cell [1]')).toBe(code)
    await js.go()
    expect((await outcome).result?.['text/plain']).toBe('11')
  })

  it('are stepped through where people have written something, not in what a compiler makes of an enum', async () => {
    await js.breakAt('cell [1]', 1)
    const outcome = js.start(
      'enum Size {\n  Small,\n  Large = 10,\n}\nclass Box {\n  constructor(public size: Size) {\n    this.size++\n  }\n}\nnew Box(Size.Large).size',
      { language: 'typescript' },
    )
    await js.stopped()
    const seen = new Set<string>()
    for (let stop = 0; stop < 12 && !(await js.places())[0]?.startsWith('Box:7'); stop++) {
      for (const place of await js.places()) seen.add(place.replace(/.*:/, ''))
      await js.go('stepIn')
      await js.stopped()
    }
    expect(await js.places()).toEqual(['Box:7', '(top level):10'])
    // Neither the members of the enum, as they were compiled, nor the assignment of the parameter.
    expect([...seen].map(Number).filter((line) => ![1, 5, 6, 10].includes(line))).toEqual([])
    await js.go()
    expect((await outcome).result?.['text/plain']).toBe('11')
  })

  it('do not show how a cell imports, also when stepped into', async () => {
    const path = file('double.mjs', DOUBLE)
    await js.breakAt('cell [1]', 1)
    const outcome = js.start("import { double } from './double.mjs'\nvar four = double(2)\nfour")
    await js.stopped()
    await js.go('stepIn')
    expect(await js.stopped()).toMatchObject({ reason: 'step' })
    for (let stop = 0; stop < 5 && (await js.places()).length === 1; stop++) {
      expect((await js.frames())[0]).toMatchObject({ name: '(top level)', source: 'cell [1]' })
      await js.go('stepIn')
      await js.stopped()
    }
    expect(await js.places()).toEqual(['double:2', '(top level):2'])
    expect((await js.frames())[0]?.source).toBe(path)
    await js.go()
    expect((await outcome).result?.['text/plain']).toBe('4')
  })

  it('have columns as they were written, where the engine rewrites a line', async () => {
    const code = "import { sep } from 'node:path'; const length = sep.length; let twice = length * 2\ntwice"
    await js.breakAt('cell [1]', { line: 1, column: code.indexOf('length * 2') + 1 })
    const outcome = js.start(code)
    await js.stopped()
    expect((await js.frames())[0]).toMatchObject({ line: 1, column: code.indexOf('length * 2') + 1 })
    expect((await js.target.evaluate('length', (await js.frames())[0]?.id, 'watch')).value).toBe('1')
    await js.go()
    expect((await outcome).result?.['text/plain']).toBe('2')
    await js.breakAt('cell [2]', { line: 1, column: 5 })
    const object = js.start('{ a: Math.max(1, 2), b: 3 }')
    await js.stopped()
    expect((await js.frames())[0]).toMatchObject({ line: 1, column: 11 })
    await js.go()
    expect((await object).result?.['text/plain']).toBe('{ a: 2, b: 3 }')
  })

  it('have text before a breakpoint that is not ASCII', async () => {
    const code = "const 이름 = '🎉'; function 인사(누구) { return 이름 + 누구 }\n인사('안녕')"
    await js.breakAt('cell [1]', { line: 1, column: code.indexOf('return') + 1 })
    const outcome = js.start(code)
    await js.stopped()
    expect((await js.frames())[0]).toMatchObject({ name: '인사', line: 1, column: code.indexOf('return') + 1 })
    expect(await js.scope('Local')).toMatchObject({ 누구: "'안녕'" })
    await js.go()
    expect((await outcome).result?.['text/plain']).toBe("'🎉안녕'")
  })

  it('are known by the name that debuggers give a cell, however often it ran', async () => {
    const debugSource = '/tmp/cells/123.js'
    const code = 'function again() {\n  return 1\n}\nagain()'
    await js.run(code, { debugSource })
    await js.run(code, { debugSource })
    expect(await js.breakAt(debugSource, 2)).toMatchObject([{ verified: true, line: 2 }])
    const outcome = js.start('again()')
    await js.stopped()
    expect((await js.frames())[0]).toMatchObject({ source: debugSource, line: 2 })
    await js.go()
    await outcome
    const third = js.start(code, { debugSource })
    await js.stopped()
    await js.go()
    await third
    expect((await js.target.loadedSources()).filter((source) => source === debugSource)).toHaveLength(1)
  })

  it('of one name and other text are told apart, also from before the debugger came', async () => {
    await js.target.detach()
    await js.run('function first() {\n  return 1\n}', { source: 'cell [7]', debugSource: '/tmp/cells/a.js' })
    await js.run('function second() {\n\n  return 2\n}', { source: 'cell [7]', debugSource: '/tmp/cells/b.js' })
    await js.target.attach({})
    expect(await js.breakAt('/tmp/cells/b.js', 3)).toMatchObject([{ verified: true, line: 3 }])
    const outcome = js.start('first() + second()')
    await js.stopped()
    expect((await js.frames())[0]).toMatchObject({ name: 'second', source: '/tmp/cells/b.js', line: 3 })
    await js.go()
    expect((await outcome).result?.['text/plain']).toBe('3')
  })

  it('with a query are files too, and evaluated code can be read', async () => {
    const path = file('versioned.mjs', 'export const value = 1\nexport const next = value + 1\n')
    await js.breakAt(path, 2)
    const outcome = js.start("(await import('./versioned.mjs?v=2')).next")
    await js.stopped()
    expect((await js.frames())[0]).toMatchObject({ source: path, line: 2 })
    await js.go()
    expect((await outcome).result?.['text/plain']).toBe('2')
    const evaluated = js.start("new Function('x', 'debugger; return x')(5)")
    expect(await js.stopped()).toMatchObject({ reason: 'debugger statement' })
    const [top] = await js.frames()
    expect(await js.target.sourceText(top?.source ?? '')).toContain('debugger; return x')
    await js.go()
    await evaluated
  })

  it('says why a breakpoint is not bound', async () => {
    expect(await js.breakAt('/no/such/file.js', 1)).toMatchObject([{ verified: false, message: 'there is no file /no/such/file.js' }])
    await js.run('1 + 1')
    expect(await js.breakAt('cell [1]', 50)).toMatchObject([{ verified: false, message: 'no code at this line or below it' }])
    expect(await js.target.breakpointLocations('cell [1]', 1, 1)).toEqual([{ line: 1, column: 1 }])
  })
})
