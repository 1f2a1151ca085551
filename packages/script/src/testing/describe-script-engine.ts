import { codeOf, delay, LlmspellError, withTimeout } from '@llmspell/base'
import { afterEach, describe, expect, it } from 'vitest'
import type { CatalogueModule } from '../catalogue/catalogue.ts'
import type { EngineFactory, EngineOptions, ExecuteOutcome, ExecuteRequest, ScriptEngine } from '../engine.ts'
import type { EngineSamples } from './engine-samples.ts'
import { RecordingHost } from './recording-host.ts'

export interface ScriptEngineSuite {
  /** Makes the factory under test with this catalogue. */
  factory(catalogue: readonly CatalogueModule[]): EngineFactory | Promise<EngineFactory>
  /** One entry a language of the engine. */
  samples: readonly EngineSamples[]
  options?: Partial<EngineOptions>
}

/** Long enough for a machine that does ten other things; nothing here measures speed. */
const STEP_TIMEOUT_MS = 30_000
const TEST_TIMEOUT_MS = 120_000
/** Time in which an engine without back-pressure would have sent more. */
const SETTLE_MS = 200
const BATCH_LIMIT = 65_536

/** What every engine owes to its kernel. Run it in a test file: `describeScriptEngine('my engine', { factory, samples })`. */
export function describeScriptEngine(name: string, suite: ScriptEngineSuite): void {
  for (const samples of suite.samples) describeLanguage(`${name}: ${samples.language}`, suite, samples)
}

function describeLanguage(title: string, suite: ScriptEngineSuite, samples: EngineSamples): void {
  describe(title, { timeout: TEST_TIMEOUT_MS }, () => {
    const engines: ScriptEngine[] = []
    let executions = 0

    afterEach(async () => {
      for (const engine of engines.splice(0)) await step(engine.dispose(), 'dispose')
    }, TEST_TIMEOUT_MS)

    async function start(options?: Partial<EngineOptions>): Promise<{ engine: ScriptEngine; host: RecordingHost }> {
      const host = new RecordingHost()
      const factory = await suite.factory([testModule])
      const engine = factory.create(host, { cwd: process.cwd(), env: {}, ...suite.options, ...options })
      engines.push(engine)
      await step(engine.start(), 'start')
      return { engine, host }
    }

    const begin = (engine: ScriptEngine, code: string, more?: Partial<ExecuteRequest>): Promise<ExecuteOutcome> =>
      engine.execute({
        executionId: `execution-${++executions}`,
        code,
        language: samples.language,
        source: `cell [${executions}]`,
        wantResult: true,
        ...more,
      })
    const run = (engine: ScriptEngine, code: string, more?: Partial<ExecuteRequest>): Promise<ExecuteOutcome> =>
      step(begin(engine, code, more), `the end of ${code}`)
    const plain = (outcome: ExecuteOutcome): unknown => outcome.result?.['text/plain']
    const expectWorks = async (engine: ScriptEngine): Promise<void> => {
      expect(plain(await run(engine, samples.value.code))).toBe(samples.value.plain)
    }

    it('is idle after start and names its languages', async () => {
      const { engine } = await start()
      expect(engine.status.state).toBe('idle')
      expect(engine.languages).toContain(samples.language)
    })

    it('gives the value when asked and only then', async () => {
      const { engine } = await start()
      expect(await run(engine, samples.value.code)).toEqual({
        status: 'ok',
        result: expect.objectContaining({ 'text/plain': samples.value.plain }),
      })
      expect((await run(engine, samples.value.code, { wantResult: false })).result).toBeUndefined()
      expect((await run(engine, samples.print('x'))).result).toBeUndefined()
    })

    it('accepts empty code', async () => {
      const { engine } = await start()
      expect(await run(engine, '')).toEqual({ status: 'ok' })
    })

    it('keeps variables between cells', async () => {
      const { engine } = await start()
      expect((await run(engine, samples.define('kept', 'value'))).status).toBe('ok')
      expect(plain(await run(engine, samples.read('kept')))).toBe(samples.shown('value'))
    })

    it('delivers stdout, stderr and displays in order, with their execution, before the outcome', async () => {
      const { engine, host } = await start()
      const code = [
        samples.print('one ☃ 🚀'),
        samples.printError('two'),
        samples.display('three', '**three**'),
        samples.print('four'),
      ].join('\n')
      expect((await run(engine, code, { executionId: 'ordered' })).status).toBe('ok')
      expect(
        host.outputs.map((output) => [output.executionId, output.type === 'stream' ? `${output.name} ${output.text}` : output.type]),
      ).toEqual([
        ['ordered', 'stdout one ☃ 🚀\n'],
        ['ordered', 'stderr two\n'],
        ['ordered', 'display'],
        ['ordered', 'stdout four\n'],
      ])
      const display = host.outputs[2]
      expect(display?.type === 'display' && display.data).toMatchObject({ 'text/plain': 'three', 'text/markdown': '**three**' })
    })

    it('delivers what was printed while the code still runs', async () => {
      const { engine, host } = await start()
      const running = begin(engine, `${samples.print('first')}\n${samples.print('second')}\n${samples.loop}`)
      await host.until('output of a running loop', () => host.text() === 'first\nsecond\n', STEP_TIMEOUT_MS)
      await step(engine.interrupt(), 'interrupt')
      expect((await step(running, 'the interrupted cell')).status).toBe('interrupted')
    })

    it('delivers many lines whole, in order, in bounded batches', async () => {
      const { engine, host } = await start()
      const count = 20_000
      await run(engine, samples.printLines(count))
      expect(host.text()).toBe(numberedLines(count))
      for (const output of host.outputs) expect(output.type === 'stream' && output.text.length).toBeLessThanOrEqual(BATCH_LIMIT)
    })

    it('stalls the script while its output is not taken, and loses nothing', async () => {
      const { engine, host } = await start()
      const { promise, resolve } = Promise.withResolvers<void>()
      host.gate = promise
      const count = 3_000_000
      const code = samples.printLines(count)
      const running = begin(engine, code)
      await host.until('the first output', () => host.outputs.length > 0, STEP_TIMEOUT_MS)
      await delay(SETTLE_MS)
      const taken = host.outputs.length
      await step(engine.interrupt(), 'interrupt of a stalled script')
      host.gate = undefined
      resolve()
      expect((await step(running, 'the stalled cell')).status).toBe('interrupted')
      expect(taken).toBe(1)
      const printed = host.text()
      expect(printed.slice(0, printed.lastIndexOf('\n') + 1)).toBe(numberedLines(printed.split('\n').length - 1))
      await expectWorks(engine)
    })

    it('reports errors with name, message, traceback and place, and keeps the state', async () => {
      const { engine } = await start()
      await run(engine, samples.define('kept', 'before'))
      const outcome = await run(engine, `\n\n${samples.fail('broken wand')}`, { source: 'cell [7]' })
      expect(outcome.status).toBe('error')
      expect(outcome.error?.evalue).toContain('broken wand')
      expect(outcome.error?.ename).toBeTruthy()
      expect(outcome.error?.position).toMatchObject({ source: 'cell [7]', line: 3 })
      expect(outcome.error?.traceback.join('\n')).toContain('broken wand')
      expect(outcome.error?.traceback.join('\n')).toMatch(/cell \[7\]:3/)
      expect(outcome.error?.engineLost).toBeUndefined()
      expect(plain(await run(engine, samples.read('kept')))).toBe(samples.shown('before'))
    })

    it('interrupts a loop, keeps the state, and takes more interrupts without harm', async () => {
      const { engine } = await start()
      await run(engine, samples.define('kept', 'safe'))
      await step(engine.interrupt(), 'interrupt when idle')
      const running = begin(engine, samples.loop)
      await step(Promise.all([engine.interrupt(), engine.interrupt()]), 'two interrupts')
      const outcome = await step(running, 'the interrupted loop')
      expect(outcome.status).toBe('interrupted')
      expect(outcome.error?.ename).toBe('Interrupted')
      await step(engine.interrupt(), 'a late interrupt')
      expect(plain(await run(engine, samples.read('kept')))).toBe(samples.shown('safe'))
      expect(engine.status.state).toBe('idle')
    })

    it('interrupts a sleep', async () => {
      const { engine, host } = await start()
      const running = begin(engine, `${samples.print('asleep')}\n${samples.sleep(3600)}`)
      await host.until('the sleep to begin', () => host.text() === 'asleep\n', STEP_TIMEOUT_MS)
      await step(engine.interrupt(), 'interrupt of a sleep')
      expect((await step(running, 'the sleeping cell')).status).toBe('interrupted')
      await expectWorks(engine)
    })

    it('calls host functions with their arguments and gives their result', async () => {
      const { engine, host } = await start()
      host.answer = (call) => `${String(call.args[0])}!`
      await run(engine, samples.call('Test.echo', 'spell'), { executionId: 'calling' })
      expect(host.calls).toMatchObject([{ name: 'Test.echo', args: ['spell'], executionId: 'calling' }])
      expect(host.text()).toBe('spell!\n')
    })

    it('turns rejections of host functions into script errors with message and code', async () => {
      const { engine, host } = await start()
      host.answer = () => {
        throw new LlmspellError('no such spell', { code: 'test.missing', data: { spell: 'x' } })
      }
      const outcome = await run(engine, samples.call('Test.echo', 'x'))
      expect(outcome.status).toBe('error')
      expect(outcome.error?.evalue).toContain('no such spell')
      host.call = () => {
        throw new LlmspellError('thrown at once', { code: 'test.thrown' })
      }
      expect((await run(engine, samples.call('Test.echo', 'x'))).error?.evalue).toContain('thrown at once')
      host.call = RecordingHost.prototype.call
      if (!samples.catchCall) return
      expect((await run(engine, samples.catchCall('Test.echo'))).status).toBe('ok')
      expect(host.text()).toBe('test.missing\n')
    })

    it('interrupts a host call and aborts its signal', async () => {
      const { engine, host } = await start()
      host.answer = (call) =>
        new Promise((_, reject) => call.signal.addEventListener('abort', () => reject(new LlmspellError('aborted', { code: 'aborted' }))))
      const running = begin(engine, samples.call('Test.echo', 'x'))
      await host.until('the host call', () => host.calls.length === 1, STEP_TIMEOUT_MS)
      await step(engine.interrupt(), 'interrupt of a host call')
      expect((await step(running, 'the calling cell')).status).toBe('interrupted')
      expect(host.calls[0]?.signal.aborted).toBe(true)
      await expectWorks(engine)
    })

    it('ends an interrupted cell even when the host ignores the abort', async () => {
      const { engine, host } = await start()
      host.answer = () => new Promise(() => {})
      const running = begin(engine, samples.call('Test.echo', 'x'))
      await host.until('the host call', () => host.calls.length === 1, STEP_TIMEOUT_MS)
      await step(engine.interrupt(), 'interrupt')
      expect((await step(running, 'the calling cell')).status).toBe('interrupted')
      await expectWorks(engine)
    })

    it('asks for input, and knows the end of input and a refusal', async () => {
      const { engine, host } = await start()
      host.reply = async () => 'a wand'
      await run(engine, samples.ask('What? '))
      expect(host.prompts).toEqual([{ prompt: 'What? ', password: false }])
      expect(host.text()).toBe('got: a wand\n')
      host.reply = async () => undefined
      await run(engine, samples.ask('More? '))
      expect(host.text()).toBe('got: a wand\ngot: nothing\n')
      host.reply = async () => {
        throw new LlmspellError('this client takes no input', { code: 'input.not_allowed' })
      }
      const refused = await run(engine, samples.ask('Really? '))
      expect(refused.status).toBe('error')
      expect(refused.error?.evalue).toContain('this client takes no input')
    })

    it('interrupts a wait for input', async () => {
      const { engine, host } = await start()
      host.reply = (_prompt, signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      const running = begin(engine, samples.ask('? '))
      await host.until('the prompt', () => host.prompts.length === 1, STEP_TIMEOUT_MS)
      await step(engine.interrupt(), 'interrupt of input')
      expect((await step(running, 'the asking cell')).status).toBe('interrupted')
      await expectWorks(engine)
    })

    it('evaluates user expressions', async () => {
      const { engine } = await start()
      await run(engine, samples.define('kept', 'here'))
      expect(await step(engine.evaluate(samples.read('kept'), samples.language, 'e'), 'evaluate')).toMatchObject({
        data: { 'text/plain': samples.shown('here') },
      })
      const failed = await step(engine.evaluate(samples.fail('broken wand'), samples.language, 'e'), 'evaluate')
      expect('error' in failed && failed.error.ename).toBeTruthy()
    })

    it('completes and inspects, idle and during a loop', async () => {
      const { engine, host } = await start()
      const { completion, inspection } = samples
      for (const code of [completion.define, inspection.define]) if (code) await run(engine, code)
      const check = async (): Promise<void> => {
        const { language } = samples
        const found = await step(engine.complete(completion.code, completion.code.length, language), 'completion')
        expect(found.items.map((item) => item.text)).toContain(completion.expected)
        expect(found.end).toBe(completion.code.length)
        expect(found.start).toBeLessThanOrEqual(found.end)
        const shown = await step(engine.inspect(inspection.code, inspection.code.length, 0, language), 'inspection')
        expect(shown?.['text/plain']).toContain(inspection.expected)
      }
      await check()
      const running = begin(engine, `${samples.print('looping')}\n${samples.loop}`)
      await host.until('the loop', () => host.text().endsWith('looping\n'), STEP_TIMEOUT_MS)
      await check()
      await step(engine.interrupt(), 'interrupt')
      await step(running, 'the loop')
    })

    it('completes anything anywhere without failing', async () => {
      const { engine } = await start()
      for (const code of ['', ' ', '.', ':', 'a.b.c', '"', '((((', '🚀', 'x = ', '\n', '1.', 'nope.nope.', 'a["b"].']) {
        for (let offset = 0; offset <= code.length; offset++) {
          const found = await step(engine.complete(code, offset, samples.language), `completion of ${JSON.stringify(code)}`)
          expect(found.end).toBeGreaterThanOrEqual(found.start)
          await step(engine.inspect(code, offset, 1, samples.language), `inspection of ${JSON.stringify(code)}`)
        }
      }
      await expectWorks(engine)
    })

    it('tells complete, incomplete and invalid code', async () => {
      const { engine } = await start()
      expect((await engine.isComplete(samples.value.code, samples.language)).status).toBe('complete')
      expect(await engine.isComplete(samples.incomplete, samples.language)).toMatchObject({
        status: 'incomplete',
        indent: expect.any(String),
      })
      if (samples.invalid !== undefined) expect((await engine.isComplete(samples.invalid, samples.language)).status).toBe('invalid')
    })

    it('lists variables', async () => {
      const { engine } = await start()
      expect(await engine.variables()).toEqual([])
      await run(engine, samples.define('wand', 'oak'))
      expect(await step(engine.variables(), 'variables')).toMatchObject([
        { name: 'wand', type: 'string', preview: expect.stringContaining('oak') },
      ])
    })

    it('ends a script that exits and goes on afterwards', async () => {
      const { engine, host } = await start()
      const outcome = await run(engine, `${samples.print('before')}\n${samples.exit(3)}\n${samples.print('after')}`)
      expect(outcome).toMatchObject({ status: 'error', exit: { code: 3 }, error: { ename: 'Exit' } })
      expect(host.text()).toBe('before\n')
      expect(await run(engine, samples.exit(0))).toMatchObject({ status: 'ok', exit: { code: 0 } })
      await expectWorks(engine)
    })

    it('gives scripts the environment it was given and no other', async () => {
      const { engine } = await start({ env: { SPELL_NAME: 'fireball' } })
      expect(plain(await run(engine, samples.env('SPELL_NAME')))).toBe(samples.shown('fireball'))
      expect(plain(await run(engine, samples.env('HOME')))).not.toBe(samples.shown(process.env['HOME'] ?? 'none'))
    })

    const { crash, openComm } = samples
    it.runIf(crash)('replaces a crashed engine and says so', async () => {
      const { engine } = await start()
      await run(engine, samples.define('kept', 'gone'))
      const outcome = await run(engine, crash ?? '')
      expect(outcome).toMatchObject({ status: 'error', error: { engineLost: true } })
      expect(outcome.error?.evalue).toBeTruthy()
      await expectWorks(engine)
      expect(await engine.variables()).toEqual([])
    })

    it.runIf(openComm)('opens comms from scripts and refuses unknown ones from outside', async () => {
      const { engine, host } = await start()
      await run(engine, openComm?.('widget') ?? '', { executionId: 'opening' })
      expect(host.comms).toMatchObject([{ type: 'open', targetName: 'widget', executionId: 'opening' }])
      const message = { executionId: 'x', commId: 'nobody', data: {}, metadata: {}, buffers: [] }
      expect(await step(engine.comm({ ...message, type: 'msg' }), 'comm')).toBe(false)
      expect(await step(engine.comm({ ...message, type: 'open', targetName: 'nowhere' }), 'comm')).toBe(false)
    })

    it('disposes while code runs, more than once, and ends what ran', async () => {
      const { engine } = await start()
      const running = begin(engine, samples.loop)
      await step(Promise.all([engine.dispose(), engine.dispose()]), 'dispose')
      expect((await step(running, 'the disposed cell')).status).not.toBe('ok')
      expect(engine.status.state).toBe('disposed')
    })
  })
}

/** Host functions of the suite; the recording host answers them. */
const testModule: CatalogueModule = {
  name: 'Test',
  doc: 'Functions of the contract suite.',
  functions: [
    {
      name: 'echo',
      doc: 'Gives back what it gets.',
      parameters: [{ name: 'text', type: 'any', doc: 'any value' }],
      result: { type: 'any', doc: 'the value' },
      run: (args) => args[0],
    },
  ],
}

function numberedLines(count: number): string {
  return Array.from({ length: count }, (_, index) => `${index + 1}\n`).join('')
}

async function step<T>(work: Promise<T>, what: string): Promise<T> {
  try {
    return await withTimeout(work, STEP_TIMEOUT_MS, what)
  } catch (error) {
    if (codeOf(error) === 'timeout') throw new Error(`timed out waiting for ${what}`)
    throw error
  }
}
