import { enableCompileCache } from 'node:module'
import { workerData } from 'node:worker_threads'

const { cache } = workerData as { cache: string }
if (cache) enableCompileCache(cache)
await import('./guard.ts')
