import { availableParallelism, freemem, hostname, totalmem } from 'node:os'
import type { Handler } from '../feature.ts'
import type { Services } from '../services.ts'

/** Shaped as ipykernel answers it: what the resource meters of JupyterLab show. Memory counts the engines' own processes where known. */
export function usageHandler({ pool }: Services): Handler<unknown> {
  let last = { at: process.hrtime.bigint(), cpu: process.cpuUsage() }
  return () => {
    const now = { at: process.hrtime.bigint(), cpu: process.cpuUsage() }
    const elapsed = Number(now.at - last.at) / 1000
    const used = now.cpu.user + now.cpu.system - last.cpu.user - last.cpu.system
    last = now
    const total = totalmem()
    const available = freemem()
    let engines = 0
    for (const { engine } of pool.slots) if (engine.status.pid !== undefined) engines += engine.status.memoryBytes ?? 0
    return {
      hostname: hostname(),
      pid: process.pid,
      kernel_cpu: elapsed > 0 ? Math.round((used / elapsed) * 1000) / 10 : 0,
      kernel_memory: process.memoryUsage.rss() + engines,
      cpu_count: availableParallelism(),
      host_virtual_memory: {
        total,
        available,
        percent: Math.round(((total - available) / total) * 1000) / 10,
        used: total - available,
        free: available,
      },
    }
  }
}
