import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { withTimeout } from '@llmspell/base'
import { DapClient } from '@llmspell/dap'
import { nodeStream } from '@llmspell/dap/node'

const WAIT_MS = 60_000

export interface Adapter {
  command: readonly string[]
  env: NodeJS.ProcessEnv
  program: string
  /** A line in an endless loop, in whose frame there is a local `count`. */
  line: number
  launch?: object
}

/** What an editor sees: milliseconds from its `next` to the answers about the stop, the stack, the scopes and the locals. */
export async function adapterSteps({ command, env, program, line, launch }: Adapter, count: number): Promise<number[]> {
  const [file = '', ...args] = command
  const child = spawn(file, args, { env, stdio: ['pipe', 'pipe', 'pipe'] })
  let printed = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (printed += text))
  const exited = once(child, 'exit')
  const client = new DapClient(nodeStream(child.stdout, child.stdin))
  const stopped = async (): Promise<number> => Number((await client.waitFor('stopped', { timeoutMs: WAIT_MS })).threadId)
  try {
    await client.request('initialize', {
      clientID: 'bench',
      adapterID: 'bench',
      linesStartAt1: true,
      columnsStartAt1: true,
      pathFormat: 'path',
    })
    const launched = client.request('launch', { program, ...launch } as never)
    launched.catch(() => {}) // awaited below
    await Promise.race([client.waitFor('initialized', { timeoutMs: WAIT_MS }), launched])
    const { breakpoints } = await client.request('setBreakpoints', { source: { path: program }, breakpoints: [{ line }] })
    await client.request('configurationDone', {})
    await launched
    let threadId = await stopped()
    await client.request('setBreakpoints', { source: { path: program }, breakpoints: [] })
    const times: number[] = []
    for (let index = 0; index < count; index++) {
      const from = performance.now()
      await client.request('next', { threadId })
      threadId = await stopped()
      const { stackFrames } = await client.request('stackTrace', { threadId, startFrame: 0, levels: 20 })
      const { scopes } = await client.request('scopes', { frameId: stackFrames[0]?.id ?? 0 })
      const { variables } = await client.request('variables', { variablesReference: scopes[0]?.variablesReference ?? 0 })
      if (!variables.some(({ name }) => name === 'count'))
        throw new Error(`no local "count": ${JSON.stringify({ breakpoints, variables })}`)
      times.push(performance.now() - from)
    }
    await client.request('disconnect', { terminateDebuggee: true })
    return times
  } catch (error) {
    throw new Error(`${command.join(' ')}: ${(error as Error).message}\n${printed}`, { cause: error })
  } finally {
    client.close()
    child.stdin.end()
    await withTimeout(exited, WAIT_MS, `the end of ${command.join(' ')}`).catch(() => child.kill('SIGKILL'))
  }
}
