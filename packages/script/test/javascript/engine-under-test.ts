import { withTimeout } from '@llmspell/base'
import type { CommEvent, EngineHost, EngineOptions, EngineOutput, ExecuteOutcome, ExecuteRequest, ScriptEngine } from '@llmspell/script'
import type { ModuleDescription } from '@llmspell/script/catalogue'
import { javascriptEngineFactory } from '@llmspell/script/javascript'

/** Long enough for a machine that does nine other things. */
export const REPLY_MS = 60_000

export interface UnderTest {
  engine: ScriptEngine
  outputs: EngineOutput[]
  comms: CommEvent[]
  logs: string[]
  /** Runs a cell, waits for its outcome. */
  run(code: string, extra?: Partial<ExecuteRequest>): Promise<ExecuteOutcome>
  /** text/plain of the result, or the error's name and message. */
  value(code: string, extra?: Partial<ExecuteRequest>): Promise<string | undefined>
  /** Text of one stream, of one execution or of all. */
  text(name?: 'stdout' | 'stderr', executionId?: string): string
}

export interface Setting extends Partial<EngineOptions> {
  host?: Partial<EngineHost>
  catalogue?: readonly ModuleDescription[]
}

/** An engine in a real process; the test disposes it. */
export function engineUnderTest(setting: Setting = {}): UnderTest {
  const outputs: EngineOutput[] = []
  const comms: CommEvent[] = []
  const logs: string[] = []
  const host: EngineHost = {
    call: (call) => Promise.reject(new Error(`no host function ${call.name}`)),
    input: () => Promise.resolve(undefined),
    output: (output) => void outputs.push(output),
    comm: (event) => void comms.push(event),
    log: (level, message) => void logs.push(`${level}: ${message}`),
    ...setting.host,
  }
  const engine = javascriptEngineFactory({ catalogue: setting.catalogue ?? [] }).create(host, {
    cwd: setting.cwd ?? process.cwd(),
    env: setting.env ?? { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' },
    ...(setting.memoryLimit !== undefined && { memoryLimit: setting.memoryLimit }),
  })
  let count = 0
  const run: UnderTest['run'] = (code, extra = {}) => {
    const number = ++count
    return withTimeout(
      engine.execute({ executionId: `e${number}`, code, language: 'javascript', source: `cell [${number}]`, wantResult: true, ...extra }),
      REPLY_MS,
      `the outcome of ${code.slice(0, 80)}`,
    )
  }
  return {
    engine,
    outputs,
    comms,
    logs,
    run,
    async value(code, extra) {
      const outcome = await run(code, extra)
      return outcome.error ? `${outcome.error.ename}: ${outcome.error.evalue}` : (outcome.result?.['text/plain'] as string | undefined)
    },
    text: (name = 'stdout', executionId) =>
      outputs
        .map((output) =>
          output.type === 'stream' && output.name === name && (executionId === undefined || output.executionId === executionId)
            ? output.text
            : '',
        )
        .join(''),
  }
}

/** Polls until `check` holds. */
export async function until(check: () => boolean, what: string, ms: number = REPLY_MS): Promise<void> {
  const deadline = Date.now() + ms
  while (!check()) {
    if (Date.now() > deadline) throw new Error(`timed out after ${ms} ms waiting for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
