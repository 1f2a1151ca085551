import type { KernelStatusReply } from '@llmspell/jupyter'
import { connectTo, isCompatible } from '@llmspell/manager'
import { type Context, flag } from '../../context.ts'
import { EXIT } from '../../exit-codes.ts'
import { duration, megabytes } from '../../render/quantities.ts'
import { kernelConnection } from '../../session/kernel-argument.ts'
import { startTrace } from '../../session/trace.ts'

/** A kernel answers in milliseconds, whatever it runs; more patience would only hide that it does not. */
const CONNECT_MS = 5_000

export async function run(context: Context): Promise<number> {
  const { terminal } = context
  const client = await connectTo(kernelConnection(context), { connectTimeoutMs: CONNECT_MS })
  startTrace(context, client)
  try {
    const status = await client.status()
    terminal.out(flag(context, 'json') ? `${JSON.stringify(status)}\n` : describe(status, context))
  } finally {
    await client.close()
  }
  return EXIT.ok
}

function describe(status: KernelStatusReply, { version }: Context): string {
  const { record } = status
  const age = isCompatible(record.version, version)
    ? ''
    : ` (this program is ${version}; once the kernel is stopped, the next command starts one of its own version)`
  const lines: [string, string][] = [
    [`kernel "${record.id}"`, `${status.execution_state}, process ${record.pid}, up ${duration(status.uptime)}`],
    ['version', `${record.version}${age}`],
    ['memory', megabytes(status.rss_bytes)],
    ['clients', String(status.clients)],
    ['started by', STARTED_BY[record.startedBy]],
    ['idle', idle(status)],
    ['log', record.logFile ?? 'none'],
    ...status.engines.map((engine): [string, string] => [
      'engine',
      [
        engine.languages.join(', '),
        engine.namespace,
        engine.state,
        engine.memory_bytes && megabytes(engine.memory_bytes),
        engine.pid && `process ${engine.pid}`,
      ]
        .filter(Boolean)
        .join(', '),
    ]),
    ...status.executions.map((execution): [string, string] => [
      execution.state,
      `${execution.source} (${execution.language})${since(execution.started_at)}  ${execution.msg_id}`,
    ]),
  ]
  const width = Math.max(...lines.map(([name]) => name.length))
  return lines.map(([name, text]) => `${name.padEnd(width)}  ${text}\n`).join('')
}

const STARTED_BY: Record<KernelStatusReply['record']['startedBy'], string> = {
  auto: 'a command, because none ran',
  daemon: 'llmspell kernel start --daemon',
  foreground: 'llmspell kernel start',
  jupyter: 'a Jupyter client',
}

function idle({ record, idle_for, execution_state }: KernelStatusReply): string {
  const limit = record.idleTimeout === 0 ? 'stays until it is stopped' : `stops after ${duration(record.idleTimeout)} without work`
  return execution_state === 'busy' ? limit : `for ${duration(idle_for)}; ${limit}`
}

function since(startedAt: string | undefined): string {
  return startedAt === undefined ? '' : ` for ${duration(Date.now() - Date.parse(startedAt))}`
}
