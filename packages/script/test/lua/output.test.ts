import { delay, withTimeout } from '@llmspell/base'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type OpenEngine, openEngine, STEP_TIMEOUT_MS } from './open-engine.ts'

describe('Lua output', { timeout: 2 * STEP_TIMEOUT_MS }, () => {
  let open: OpenEngine

  beforeAll(async () => {
    open = await openEngine()
  }, STEP_TIMEOUT_MS)

  afterEach(() => {
    open.host.outputs.length = 0
    open.host.gate = undefined
  })

  afterAll(() => open.engine.dispose(), STEP_TIMEOUT_MS)

  it('carries 50 MB in one cell', async () => {
    await open.run('local line = ("x"):rep(4999) .. "\\n" for i = 1, 10000 do io.write(line) end')
    const line = `${'x'.repeat(4999)}\n`
    expect(open.host.text() === line.repeat(10_000)).toBe(true)
  })

  it('carries one write of 20 MB', async () => {
    await open.run('io.write(("é"):rep(10 * 1024 * 1024))')
    expect(open.host.text() === 'é'.repeat(10 * 1024 * 1024)).toBe(true)
  })

  it('keeps stdout, stderr, warnings and displays in order', async () => {
    await open.run('io.write("a") io.stderr:write("b") print("c") display("d") io.write("e") warn("@on") warn("f") print("g")')
    const seen = open.host.outputs.map((output) => (output.type === 'stream' ? `${output.name}:${output.text}` : output.type))
    expect(seen).toEqual(['stdout:a', 'stderr:b', 'stdout:c\n', 'display', 'stdout:e', 'stderr:Lua warning: f\n', 'stdout:g\n'])
  })

  it('delivers text without a newline while the code goes on', async () => {
    const running = open.begin('io.write("50 %") while true do end')
    await open.host.until('the text', () => open.host.text() === '50 %', STEP_TIMEOUT_MS)
    await open.engine.interrupt()
    await running
  })

  it('shows a line that is printed before a long C function', async () => {
    const running = open.begin('print("working"); ("a"):rep(30000):gsub(("a*"):rep(8) .. "b", "")')
    await open.host.until('the line', () => open.host.text() === 'working\n', STEP_TIMEOUT_MS)
    await open.engine.interrupt()
    expect((await running).status).toBe('interrupted')
  })

  it('delivers text before a host call and before a question', async () => {
    open.host.answer = () => open.host.text()
    expect(await open.value('io.write("before") return Agent.query("x")')).toBe('before')
    open.host.reply = async () => open.host.text()
    expect(await open.value('io.write("Name: ") return io.read("l")')).toBe('beforeName: ')
  })

  it('gives what was printed before an error, an exit and an interrupt', async () => {
    await open.run('io.write("one ") error("x")')
    await open.run('io.write("two ") os.exit(1)')
    const running = open.begin('io.write("three") while true do pcall(function() while true do end end) end')
    await open.host.until('the text', () => open.host.text().endsWith('three'), STEP_TIMEOUT_MS)
    await open.engine.interrupt()
    await running
    expect(open.host.text()).toBe('one two three')
  })

  it('holds the script when nobody takes its output, wherever it writes, and answers questions meanwhile', async () => {
    const gate = Promise.withResolvers<void>()
    open.host.gate = gate.promise
    const running = open.begin('written = 0 for i = 1, 1000 do io.write(("x"):rep(65536)) written = i end return written')
    await open.host.until('the first output', () => open.host.outputs.length > 0, STEP_TIMEOUT_MS)
    await delay(300)
    const variables = await withTimeout(open.engine.variables(), STEP_TIMEOUT_MS, 'the variables')
    const written = Number(variables.find((variable) => variable.name === 'written')?.preview)
    expect(written).toBeGreaterThan(0)
    expect(written).toBeLessThan(200)
    open.host.gate = undefined
    gate.resolve()
    expect((await withTimeout(running, STEP_TIMEOUT_MS, 'the cell')).result).toEqual({ 'text/plain': '1000' })
    expect(open.host.text().length).toBe(65_536_000)
  })

  it('runs commands with their output in place', async () => {
    await open.run('print("a") os.execute("echo b; echo c >&2") print(io.popen("echo d"):read("a"))')
    expect(open.host.text()).toBe('a\nb\nd\n\n')
    expect(open.host.text('stderr')).toBe('c\n')
  })

  it('shows very many results, nils among them', async () => {
    const { result } = await withTimeout(open.run('return table.unpack({ [199999] = 1 }, 1, 200000)'), STEP_TIMEOUT_MS, 'the results')
    expect(String(result?.['text/plain']).slice(-9)).toBe('nil\t1\tnil')
  })
})
