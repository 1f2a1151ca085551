/** Entry of the worker thread of one Lua namespace. */
import { workerData } from 'node:worker_threads'
import { LuaNamespace } from './namespace.ts'
import type { WorkerOptions } from './protocol.ts'

new LuaNamespace(workerData as WorkerOptions).serve()
