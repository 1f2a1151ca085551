import { withTimeout } from '@llmspell/base'
import type { EngineOptions, ExecuteOutcome, ExecuteRequest, ScriptEngine } from '@llmspell/script'
import type { ModuleDescription } from '@llmspell/script/catalogue'
import { luaEngineFactory } from '@llmspell/script/lua'
import { RecordingHost } from '@llmspell/script/testing'

export const STEP_TIMEOUT_MS = 60_000

export const agentModule: ModuleDescription = {
  name: 'Agent',
  doc: 'Calls of the tests.',
  functions: [
    {
      name: 'query',
      doc: 'Answers.',
      kind: 'provider',
      parameters: [{ name: 'text', type: 'any', doc: 'a question' }],
      result: { type: 'any', doc: 'the answer' },
    },
  ],
}

export interface OpenEngine {
  engine: ScriptEngine
  host: RecordingHost
  begin(code: string, more?: Partial<ExecuteRequest>): Promise<ExecuteOutcome>
  run(code: string, more?: Partial<ExecuteRequest>): Promise<ExecuteOutcome>
  /** The text of the value. */
  value(code: string): Promise<unknown>
}

/** A started Lua engine with a recording host. */
export async function openEngine(options?: Partial<EngineOptions>): Promise<OpenEngine> {
  const host = new RecordingHost()
  const engine = luaEngineFactory({ catalogue: [agentModule] }).create(host, { cwd: process.cwd(), env: {}, ...options })
  await withTimeout(engine.start(), STEP_TIMEOUT_MS, 'the engine to start')
  let count = 0
  const begin: OpenEngine['begin'] = (code, more) => {
    count++
    return engine.execute({ executionId: `e${count}`, code, language: 'lua', source: `cell [${count}]`, wantResult: true, ...more })
  }
  const run: OpenEngine['run'] = (code, more) => withTimeout(begin(code, more), STEP_TIMEOUT_MS, `the end of ${code}`)
  return { engine, host, begin, run, value: async (code) => (await run(code)).result?.['text/plain'] }
}
