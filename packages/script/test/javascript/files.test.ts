import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { engineUnderTest, REPLY_MS, type UnderTest, until } from './engine-under-test.ts'

vi.setConfig({ testTimeout: 2 * REPLY_MS, hookTimeout: REPLY_MS })

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'llmspell files-'))
  const files: Record<string, string> = {
    'package.json': '{"name": "spells"}',
    'data.json': '{"key": "value"}',
    'helper.ts':
      'export enum Kind { A, B = "b" }\n\nexport function explode(): never {\n  throw new Error("from the helper")\n}\nexport const url = import.meta.url\n',
    'typed.cts': 'interface A { b: number }\nconst a: A = { b: 5 }\nmodule.exports = a\n',
    'plain.mjs': 'export default 7\nexport const named = 8\n',
    'common.cjs': 'exports.where = __filename\nexports.name = "common"\n',
    'broken.mjs': 'export const a = 1\nconst b = = 1\n',
    'node_modules/esm-only/package.json': '{"name": "esm-only", "type": "module", "exports": "./index.js"}',
    'node_modules/esm-only/index.js': 'export const from = "esm-only"',
    'node_modules/cjs-only/index.js': 'module.exports = { from: "cjs-only" }',
  }
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, name), text)
  }
})
afterAll(() => rmSync(directory, { recursive: true }))

const engines: UnderTest[] = []
afterEach(async () => {
  for (const one of engines.splice(0)) await one.engine.dispose()
})

async function start(): Promise<UnderTest> {
  const js = engineUnderTest({ cwd: directory })
  engines.push(js)
  await js.engine.start()
  return js
}

/** Runs a script as the command line does: a namespace of its own, by its path, to the end of what it started. */
async function runFile(name: string, code: string, args: string[] = []) {
  const js = engineUnderTest({ cwd: tmpdir() })
  engines.push(js)
  await js.engine.start()
  const source = join(directory, name)
  const outcome = await js.run(code, {
    source,
    args,
    drain: true,
    wantResult: false,
    language: /ts$/.test(name) ? 'typescript' : 'javascript',
  })
  return { outcome, source, out: js.text('stdout'), err: js.text('stderr'), js }
}

describe('imports of cells', () => {
  it('take every form, from packages, Node, files and data', async () => {
    const js = await start()
    const code = `
      import fs, { readFileSync as read, existsSync } from 'node:fs'
      import * as path from 'path'
      import 'node:os'
      import seven, { named } from './plain.mjs'
      import seven2, * as whole from './plain.mjs'
      import data from './data.json' with { type: 'json' }
      import { from } from 'esm-only'
      import cjs from 'cjs-only'
      import { name } from './common.cjs'
      import { Kind } from './helper.ts'
      ;[fs.readFileSync === read, existsSync('.'), path.sep, seven, named, seven2, whole.named, data.key, from, cjs.from, name, Kind.B]`
    expect(await js.value(code)).toBe(
      "[\n  true,       true,\n  '/',        7,\n  8,          7,\n  8,          'value',\n  'esm-only', 'cjs-only',\n  'common',   'b'\n]",
    )
    expect(await js.value("(await import('./plain.mjs')).default + require('./typed.cts').b")).toBe('12')
    expect(await js.value("await (async () => (await import('esm-only')).from)()")).toBe("'esm-only'")
    expect(await js.value("const load = () => import('./plain.mjs'); (await load()).named")).toBe('8')
    expect(await js.value("[require('cjs-only').from, require('./data.json').key, require.resolve('./common.cjs')]")).toContain('cjs-only')
  })

  it('resolve from the working directory of the cell', async () => {
    const js = await start()
    expect(await js.value('typeof __filename + typeof module')).toBe("'undefinedundefined'")
    expect(await js.value('import.meta.dirname')).toBe(`'${directory}'`)
    expect(await js.value("import.meta.resolve('./plain.mjs').endsWith('/plain.mjs')")).toBe('true')
    expect(await js.value("(await import('./files/../plain.mjs')).default", { cwd: directory })).toBe('7')
    expect(await js.value("await import('./plain.mjs')", { cwd: '/' })).toMatch(/Cannot find module '\/plain.mjs'/)
  })

  it('have errors of imported files at their place', async () => {
    const js = await start()
    const outcome = await js.run("import { explode } from './helper.ts'\n\nexplode()", { source: 'cell [1]' })
    expect(outcome.error?.traceback).toEqual([
      'Error: from the helper',
      `    at explode (${join(directory, 'helper.ts')}:4:9)`,
      '    at cell [1]:3:1',
    ])
    const broken = await js.run("await import('./broken.mjs')")
    expect(broken.error?.ename).toBe('SyntaxError')
    expect(broken.error?.traceback.join('\n')).toMatch(/broken\.mjs:2/)
  })
})

describe('a script', () => {
  it('may be an ES module in TypeScript', async () => {
    const code = `import { Kind } from './helper.ts'
import data from './data.json' with { type: 'json' }
import type { Stats } from 'node:fs'
enum Own { X = 'x' }
const typed: string = data.key
export default typed
console.log(typed, Kind.B, Own.X, import.meta.filename === process.argv[1], Args, process.argv.slice(2))
console.log((await import('./plain.mjs')).default, import.meta.url.startsWith('file:///'))`
    const { outcome, out } = await runFile('main.ts', code, ['one', 'two'])
    expect(outcome).toEqual({ status: 'ok' })
    expect(out).toBe("value b x true [ 'one', 'two' ] [ 'one', 'two' ]\n7 true\n")
  })

  it('may be CommonJS', async () => {
    const code = `const { name } = require('./common.cjs')
exports.spell = 1
if (require.main === module) console.log(name, __filename, __dirname, module.exports.spell)`
    const { outcome, out, source } = await runFile('main.js', code)
    expect(outcome).toEqual({ status: 'ok' })
    expect(out).toBe(`common ${source} ${directory} 1\n`)
  })

  it('has errors at file, line and column', async () => {
    const { outcome, source } = await runFile(
      'wrong.ts',
      'interface A { b: string }\n\nfunction f(a: A | null) {\n  return a!.b\n}\nf(null)',
    )
    expect(outcome.error?.position).toEqual({ source, line: 4, column: 13 })
    expect(outcome.error?.traceback.slice(1)).toEqual([`    at f (${source}:4:13)`, `    at ${source}:6:1`])
    const syntax = await runFile('syntax.js', 'let a = 1\nlet b = = 2')
    expect(syntax.outcome.error).toMatchObject({ ename: 'SyntaxError', position: { source: syntax.source, line: 2, column: 9 } })
  })

  it('goes on until what it started has ended', async () => {
    const code = `setTimeout(() => { console.log('timer'); setImmediate(() => console.log('last')) }, 30)
require('node:child_process').exec('echo from a child', (error, text) => process.stdout.write(text))
console.log('first')`
    const { outcome, out } = await runFile('late.js', code)
    expect(outcome).toEqual({ status: 'ok' })
    expect(out.split('\n').sort()).toEqual(['', 'first', 'from a child', 'last', 'timer'])
    expect(out.startsWith('first\n')).toBe(true)
  })

  it('fails by what a timer throws, and by process.exitCode', async () => {
    expect((await runFile('throws.js', 'setTimeout(() => { null.x }, 5)')).outcome).toMatchObject({
      status: 'error',
      error: { ename: 'TypeError' },
    })
    expect((await runFile('code.js', 'process.exitCode = 4; setTimeout(() => console.log("end"), 5)')).outcome).toMatchObject({
      status: 'error',
      exit: { code: 4 },
    })
    expect((await runFile('exit.js', 'setTimeout(() => process.exit(5), 5)')).outcome).toMatchObject({ exit: { code: 5 } })
  })

  it('that waits for nothing is told so', async () => {
    expect((await runFile('never.mjs', 'await new Promise(() => {})')).outcome).toMatchObject({
      status: 'error',
      error: { ename: 'UnsettledAwait' },
    })
  })

  it('that serves is ended by an interrupt', async () => {
    const js = await start()
    const running = js.run("require('node:http').createServer().listen(0, '127.0.0.1', () => console.log('listening'))", {
      source: join(directory, 'server.js'),
      drain: true,
    })
    await until(() => js.text().includes('listening'), 'the server')
    await js.engine.interrupt()
    expect((await running).status).toBe('interrupted')
  })
})
