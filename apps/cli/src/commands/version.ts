import { isKernelRunning, readKernel } from '@llmspell/manager'
import { type Context, flag } from '../context.ts'
import { EXIT } from '../exit-codes.ts'

export async function run(context: Context): Promise<number> {
  const { terminal, version, paths } = context
  const found = readKernel(paths, 'default')
  const kernel = found && isKernelRunning(found) ? { id: found.record.id, version: found.record.version, pid: found.record.pid } : undefined
  const platform = `${process.platform}-${process.arch}`
  if (flag(context, 'json')) terminal.out(`${JSON.stringify({ version, node: process.versions.node, platform, kernel: kernel ?? null })}\n`)
  else {
    terminal.out(`llmspell ${version}, Node ${process.versions.node}, ${platform}\n`)
    if (kernel) terminal.out(`kernel "${kernel.id}" ${kernel.version}, process ${kernel.pid}\n`)
  }
  return EXIT.ok
}
