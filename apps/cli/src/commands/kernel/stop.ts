import {
  isKernelRunning,
  type RegisteredKernel,
  readKernels,
  registeredKernel,
  type StopOutcome,
  stopKernel,
  sweep,
} from '@llmspell/manager'
import { type Context, flag, secondsOption } from '../../context.ts'
import { EXIT } from '../../exit-codes.ts'
import { kernelId } from '../../session/kernel-argument.ts'

export async function run(context: Context): Promise<number> {
  const { paths, terminal } = context
  const all = flag(context, 'all')
  const kernels = all ? readKernels(paths).filter(isKernelRunning) : [registeredKernel(paths, kernelId(context))]
  const timeoutMs = secondsOption(context, 'timeout')
  if (kernels.length > 0) terminal.progress(kernels.length === 1 ? 'stopping the kernel…' : `stopping ${kernels.length} kernels…`)
  const stopped = await Promise.all(
    kernels.map(async (kernel) => ({
      kernel,
      outcome: await stopKernel(paths, kernel, {
        force: flag(context, 'force'),
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      }),
    })),
  )
  if (all) sweep(paths)
  if (flag(context, 'json')) {
    const list = stopped.map(({ kernel: { record }, outcome }) => ({ id: record.id, pid: record.pid, outcome }))
    terminal.out(`${JSON.stringify({ stopped: list })}\n`)
  } else {
    for (const { kernel, outcome } of stopped) terminal.out(`${sentence(kernel, outcome)}\n`)
    if (stopped.length === 0) terminal.out('no kernel is running\n')
  }
  return EXIT.ok
}

function sentence({ record: { id, pid } }: RegisteredKernel, outcome: StopOutcome): string {
  const name = `kernel "${id}" (process ${pid})`
  if (outcome === 'stopped') return `${name} has stopped`
  return outcome === 'terminated' ? `${name} was terminated` : `${name} did not end and was killed`
}
