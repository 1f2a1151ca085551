import { type ProbedKernel, probe, readKernels, sweep } from '@llmspell/manager'
import { type Context, flag } from '../../context.ts'
import { EXIT } from '../../exit-codes.ts'
import { duration, megabytes } from '../../render/quantities.ts'
import { table } from '../../render/table.ts'

export async function run(context: Context): Promise<number> {
  const { paths, terminal } = context
  const kernels = await Promise.all(readKernels(paths).map((kernel) => probe(kernel)))
  sweep(paths)
  if (flag(context, 'json')) terminal.out(`${JSON.stringify({ kernels: kernels.map(entry) })}\n`)
  else if (kernels.length === 0) terminal.out('no kernel is running\n')
  else
    terminal.out(table(['ID', 'STATE', 'PID', 'LANGUAGE', 'STARTED BY', 'AGE', 'MEMORY', 'CLIENTS', 'RUNS', 'VERSION'], kernels.map(row)))
  return EXIT.ok
}

function entry({ record, state, status, file }: ProbedKernel): Record<string, unknown> {
  return {
    id: record.id,
    state,
    pid: record.pid,
    language: record.language,
    startedBy: record.startedBy,
    startedAt: record.startedAt,
    version: record.version,
    connectionFile: file,
    logFile: record.logFile,
    rssBytes: status?.rss_bytes,
    clients: status?.clients,
    executions: status?.executions,
  }
}

function row({ record, state, status }: ProbedKernel): string[] {
  const running = status?.executions.find((execution) => execution.state === 'running')
  return [
    record.id,
    state,
    String(record.pid),
    record.language,
    record.startedBy,
    duration(Date.now() - Date.parse(record.startedAt)),
    status ? megabytes(status.rss_bytes) : '-',
    status ? String(status.clients) : '-',
    running?.source ?? '-',
    record.version,
  ]
}
