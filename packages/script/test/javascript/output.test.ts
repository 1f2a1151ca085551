import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { engineUnderTest, REPLY_MS, type UnderTest } from './engine-under-test.ts'

vi.setConfig({ testTimeout: 2 * REPLY_MS, hookTimeout: REPLY_MS })

let js: UnderTest
beforeAll(async () => {
  js = engineUnderTest()
  await js.engine.start()
})
afterAll(() => js.engine.dispose())

/** Streams of one execution as one text, marks before each change of stream. */
function told(executionId: string): string {
  let name = ''
  return js.outputs
    .filter((output) => output.executionId === executionId)
    .map((output) => {
      const mark = output.type === 'stream' ? output.name : output.type
      const text = output.type === 'stream' ? output.text : ''
      const change = mark === name && output.type === 'stream' ? '' : `[${mark}]`
      name = mark
      return change + text
    })
    .join('')
}

describe('output', () => {
  it('of all writers comes in order', async () => {
    const code = `
      console.log('a'); process.stdout.write('b'); console.error('c'); process.stderr.write('d\\n')
      display({ 'text/plain': 'x' }); console.info('e', { f: 1 }); Display.clear(); console.warn('g'); process.stdout.write(Buffer.from('h'))`
    await js.run(code, { executionId: 'order' })
    expect(told('order')).toBe('[stdout]a\nb[stderr]c\nd\n[display][stdout]e { f: 1 }\n[clear][stderr]g\n[stdout]h')
  })

  it('of child processes and native code is captured, in order, before the outcome', async () => {
    const code = `
      console.log('before')
      require('node:child_process').execFileSync('/bin/sh', ['-c', 'echo inside; echo wrong >&2'], { stdio: 'inherit' })
      console.log('after')
      require('node:fs').writeSync(1, 'direct\\n')`
    await js.run(code, { executionId: 'child' })
    expect(js.text('stdout', 'child')).toBe('before\ninside\nafter\ndirect\n')
    expect(js.text('stderr', 'child')).toBe('wrong\n')
  })

  it('of late callbacks keeps its cell', async () => {
    const code = `
      setTimeout(() => console.log('timer'), 20)
      setImmediate(() => process.stdout.write('immediate\\n'))
      require('node:fs').readFile('/dev/null', () => console.log('file'))
      Promise.resolve().then(() => sleep(0.03)).then(() => console.log('promise'))
      0`
    await js.run(code, { executionId: 'early' })
    await js.run('console.log("mine"); await sleep(0.2); console.log("still mine")', { executionId: 'now' })
    expect(js.text('stdout', 'early').split('\n').sort()).toEqual(['', 'file', 'immediate', 'promise', 'timer'])
    expect(js.text('stdout', 'now')).toBe('mine\nstill mine\n')
  })

  it('keeps characters whole however they are written', async () => {
    const text = 'ä☃🚀'.repeat(30_000)
    await js.run(`const text = ${JSON.stringify(text)}; process.stdout.write(text)`, { executionId: 'characters' })
    expect(js.text('stdout', 'characters')).toBe(text)
    await js.run('const bytes = Buffer.from("☃🚀"); for (const byte of bytes) process.stdout.write(Uint8Array.of(byte))', {
      executionId: 'bytes',
    })
    expect(js.text('stdout', 'bytes')).toBe('☃🚀')
    await js.run('process.stdout.write("6869", "hex"); console.log("\\ud800!")', { executionId: 'odd' })
    expect(js.text('stdout', 'odd')).toBe('hi\ufffd!\n')
  })

  it('of 100,000 lines and of 50 MB arrives whole, in bounded batches', async () => {
    await js.run('for (let i = 0; i < 1e5; i++) console.log("line", i)', { executionId: 'lines' })
    expect(js.text('stdout', 'lines')).toBe(Array.from({ length: 1e5 }, (_, index) => `line ${index}\n`).join(''))
    await js.run('process.stdout.write("x".repeat(50e6))', { executionId: 'bulk' })
    expect(js.text('stdout', 'bulk').length).toBe(50e6)
    for (const output of js.outputs) if (output.type === 'stream') expect(Buffer.byteLength(output.text)).toBeLessThanOrEqual(65_536)
    js.outputs.length = 0
  })

  it('has the streams that programs expect', async () => {
    expect(await js.value('[process.stdout.fd, process.stderr.fd, process.stdout.isTTY, process.stdout.writable]')).toBe(
      '[ 1, 2, false, true ]',
    )
    const code = `
      await require('node:stream/promises').pipeline(require('node:stream').Readable.from(['piped ', 'through\\n']), process.stdout, { end: false })
      await new Promise((resolve) => process.stdout.write('called back\\n', resolve))
      console.table([{ a: 1 }]); console.group('group'); console.log('in it'); console.groupEnd()`
    expect((await js.run(code, { executionId: 'streams' })).error).toBeUndefined()
    expect(js.text('stdout', 'streams')).toMatch(/^piped through\ncalled back\n┌[\s\S]*group\n {2}in it\n$/)
  })

  it('may be thrown at the script when the kernel stops taking it, and waits', async () => {
    const taken: string[] = []
    const slow = engineUnderTest({
      host: {
        output(output) {
          if (output.type === 'stream') taken.push(output.text)
          return new Promise((resolve) => setTimeout(resolve, 5))
        },
      },
    })
    await slow.engine.start()
    const lines = Array.from({ length: 50_000 }, (_, index) => `${index}\n`).join('')
    await slow.run('for (let i = 0; i < 50_000; i++) console.log(i)')
    expect(taken.join('')).toBe(lines)
    taken.length = 0
    expect((await slow.run('for (let i = 0; i < 50_000; i++) console.log(i); process.exit(2)')).exit).toEqual({ code: 2 })
    expect(taken.join('')).toBe(lines)
    await slow.engine.dispose()
  })
})

describe('displays', () => {
  const shown = (executionId: string) => js.outputs.filter((output) => output.executionId === executionId)

  it('carry bundles, ids, updates and metadata', async () => {
    await js.run(
      `display({ 'text/markdown': '**b**', 'text/plain': 'b' }, { id: 'one', metadata: { isolated: true } }); Display.update('one', 2)`,
      {
        executionId: 'ids',
      },
    )
    expect(shown('ids')).toEqual([
      {
        type: 'display',
        executionId: 'ids',
        data: { 'text/markdown': '**b**', 'text/plain': 'b' },
        metadata: { isolated: true },
        displayId: 'one',
      },
      { type: 'display', executionId: 'ids', data: { 'text/plain': '2' }, metadata: {}, displayId: 'one', update: true },
    ])
  })

  it('of every kind have their MIME type and a text', async () => {
    const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
    const kinds: Record<string, [call: string, mime: string]> = {
      html: ["'<b>x</b>'", 'text/html'],
      markdown: ["'*x*'", 'text/markdown'],
      svg: ["'<svg/>'", 'image/svg+xml'],
      png: [`Buffer.from('${png}', 'base64')`, 'image/png'],
      json: ['{ a: 1 }', 'application/json'],
      table: ['[{ a: 1, b: 2 }]', 'text/html'],
      vega: ['{ mark: "bar" }', 'application/vnd.vegalite.v5+json'],
      latex: ["'$x$'", 'text/latex'],
      javascript: ["'alert(1)'", 'application/javascript'],
    }
    for (const [kind, [argument, mime]] of Object.entries(kinds)) {
      expect((await js.run(`Display.${kind}(${argument})`, { executionId: kind })).error).toBeUndefined()
      const [output] = shown(kind)
      expect(output?.type === 'display' && output.data, kind).toMatchObject({ [mime]: expect.anything(), 'text/plain': expect.any(String) })
    }
    expect(await js.value('Display.html(5)')).toMatch(/takes a string/)
  })
})
