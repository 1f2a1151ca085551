import { LlmspellError } from '@llmspell/base'
import type { HostCall } from '@llmspell/script'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { engineUnderTest, REPLY_MS, type UnderTest, until } from './engine-under-test.ts'

vi.setConfig({ testTimeout: 2 * REPLY_MS, hookTimeout: REPLY_MS })

let js: UnderTest
const calls: HostCall[] = []
const prompts: { prompt: string; password: boolean }[] = []
let line: string | undefined
beforeAll(async () => {
  js = engineUnderTest({
    catalogue: [
      {
        name: 'Test',
        doc: 'For tests.',
        functions: [
          { name: 'echo', doc: 'Gives it back.', parameters: [], sync: true },
          { name: 'fail', doc: 'Fails.', parameters: [], sync: true },
          { name: 'promiseOnly', doc: 'No sync form.', parameters: [] },
        ],
      },
    ],
    host: {
      async call(call) {
        calls.push(call)
        if (call.name === 'Test.fail') throw new LlmspellError('no luck', { code: 'test.luck', data: { tries: 3 }, hint: 'Try again.' })
        return call.args[0]
      },
      async input(_id, prompt, password) {
        prompts.push({ prompt, password })
        if (line === 'refuse') throw new LlmspellError('this client takes no input', { code: 'input.not_allowed' })
        return line
      },
    },
  })
  await js.engine.start()
})
afterAll(() => js.engine.dispose())

describe('host functions', () => {
  it('are promises, with a blocking form where the catalogue says so', async () => {
    expect(await js.value('await Test.echo({ a: [1, "x", null, true], u: undefined })')).toBe("{ a: [ 1, 'x', null, true ] }")
    expect(await js.value('Test.echoSync("now")')).toBe("'now'")
    expect(await js.value('[1, 2, 3].map((n) => Test.echoSync(n * 2))')).toBe('[ 2, 4, 6 ]')
    expect(await js.value('typeof Test.promiseOnlySync')).toBe("'undefined'")
    expect(await js.value('await Test.echo()')).toBeUndefined()
    expect(await js.value('(await Promise.all([3, 4].map((n) => Test.echo(n))))')).toBe('[ 3, 4 ]')
    const big = 'x'.repeat(3_000_000)
    expect(await js.value(`Test.echoSync("x".repeat(${big.length})).length`)).toBe(String(big.length))
  })

  it('fail with message, code, data and hint, where they were called', async () => {
    const code = 'try { CALL } catch (e) { [e instanceof Error, e.message, e.code, e.data, e.hint, e.stack.split("\\n")[1].trim()] }'
    for (const call of ['await Test.fail()', 'Test.failSync()']) {
      expect(await js.value(code.replace('CALL', call), { source: 'cell [7]' })).toMatch(
        /\[ true, 'no luck', 'test.luck', \{ tries: 3 \}, 'Try again.', 'at cell \[7\]:1:\d+' \]|no luck[\s\S]*test.luck[\s\S]*tries: 3[\s\S]*Try again[\s\S]*cell \[7\]:1:/,
      )
    }
  })

  it('refuse what would be lost on the way, with its place', async () => {
    const refused: Record<string, RegExp> = {
      'Test.echoSync(() => 1)': /argument 1: a function cannot leave the script/,
      'Test.echoSync({ deep: [1n] })': /argument 1\.deep\[0\]: a BigInt/,
      'Test.echoSync(NaN)': /NaN has no JSON form/,
      'Test.echoSync(new Map())': /Map has no JSON form/,
      'Test.echoSync(Promise.resolve())': /await it/,
      'const loop = {}; loop.self = loop; Test.echoSync(loop)': /contains itself/,
      'await Test.echo(Symbol())': /a symbol cannot leave/,
    }
    for (const [code, message] of Object.entries(refused)) expect(await js.value(code)).toMatch(message)
  })

  it('know the execution that called, also late', async () => {
    await js.run('setTimeout(() => Test.echo("late"), 20); await Test.echo("early")', { executionId: 'caller' })
    await js.run('await sleep(0.1)', { executionId: 'next' })
    await until(() => calls.some((call) => call.args[0] === 'late'), 'the late call')
    expect(calls.filter((call) => ['early', 'late'].includes(String(call.args[0]))).map((call) => call.executionId)).toEqual([
      'caller',
      'caller',
    ])
  })
})

describe('input', () => {
  it('blocks until the line is there', async () => {
    line = 'Merlin'
    expect(await js.value('const name = input("Name? "); `Hi ${name}`')).toBe("'Hi Merlin'")
    expect(await js.value('input("Word: ", { password: true })')).toBe("'Merlin'")
    expect(await js.value('prompt("Who")')).toBe("'Merlin'")
    expect(prompts).toEqual([
      { prompt: 'Name? ', password: false },
      { prompt: 'Word: ', password: true },
      { prompt: 'Who ', password: false },
    ])
  })

  it('is undefined at the end of input, and an error with a code when refused', async () => {
    line = undefined
    expect(await js.value('input()')).toBeUndefined()
    line = 'refuse'
    expect(await js.value('try { input() } catch (e) { e.code }')).toBe("'input.not_allowed'")
    expect(await js.value('input()')).toMatch(/takes no input/)
  })
})

describe('comms', () => {
  it('are opened by scripts, and talk both ways', async () => {
    const { executionId, value } = { executionId: 'opener', value: js.value }
    const id = await value(
      `const comm = Comm.open('widget', { a: 1 }); comm.onMsg((data, buffers) => console.log('got', data, buffers)).onClose(() => console.log('closed')); comm.send({ b: 2 }, { buffers: [Uint8Array.of(1, 2)] }); comm.id`,
      { executionId },
    )
    const commId = id?.slice(1, -1) ?? ''
    expect(js.comms).toEqual([
      { type: 'open', executionId, commId, targetName: 'widget', data: { a: 1 }, metadata: {}, buffers: [] },
      { type: 'msg', executionId, commId, data: { b: 2 }, metadata: {}, buffers: [Uint8Array.of(1, 2)] },
    ])
    const message = { executionId: 'front', commId, metadata: {}, buffers: [Uint8Array.of(9)] }
    expect(await js.engine.comm({ type: 'msg', ...message, data: { c: 3 } })).toBe(true)
    expect(await js.engine.comm({ type: 'close', ...message, data: {} })).toBe(true)
    await until(() => js.text('stdout', 'front').includes('closed'), 'the comm to close')
    expect(js.text('stdout', 'front')).toBe('got { c: 3 } [ Uint8Array(1) [ 9 ] ]\nclosed\n')
    expect(await js.engine.comm({ type: 'msg', ...message, data: {} })).toBe(false)
    expect(await value('comm.send({})')).toMatch(/is closed/)
  })

  it('are opened by front ends on targets of the script', async () => {
    await js.run(`Comm.registerTarget('mine', (comm, data) => comm.send({ echo: data }))`)
    js.comms.length = 0
    const open = { executionId: 'front', commId: 'c1', metadata: {}, buffers: [], data: { hello: 1 } }
    expect(await js.engine.comm({ type: 'open', ...open, targetName: 'nobody' })).toBe(false)
    expect(await js.engine.comm({ type: 'open', ...open, targetName: 'mine' })).toBe(true)
    await until(() => js.comms.length === 1, 'the answer of the target')
    expect(js.comms[0]).toMatchObject({ type: 'msg', commId: 'c1', data: { echo: { hello: 1 } }, executionId: 'front' })
  })
})

describe('Log', () => {
  it('writes to the log of the kernel', async () => {
    await js.run('Log.info("started", { n: 1 }); Log.warn("odd")')
    expect(js.logs).toEqual(['info: started', 'warn: odd'])
  })
})
