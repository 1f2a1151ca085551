import { enableCompileCache } from 'node:module'
import { workerData } from 'node:worker_threads'
import type { GuardData } from './shared.ts'

const { cache } = workerData as GuardData
if (cache !== '') enableCompileCache(cache)
await import('./guard.ts')
