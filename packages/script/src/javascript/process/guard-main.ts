import { enableCompileCache, flushCompileCache } from 'node:module'
import { workerData } from 'node:worker_threads'
import type { GuardData } from './shared.ts'

const FLUSH_CACHE_MS = 2000
const { cache } = workerData as GuardData
if (cache !== '') enableCompileCache(cache)
await import('./guard.ts')
if (cache !== '') setTimeout(flushCompileCache, FLUSH_CACHE_MS).unref()
