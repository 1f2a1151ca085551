import { randomUUID } from 'node:crypto'
import type { Logger } from '@llmspell/base'
import { type Config, defaultConfig, ownIdentity, resolvePaths } from '@llmspell/config'
import { type ClientTransport, createMemoryTransport } from '@llmspell/jupyter'
import type { Kernel } from '@llmspell/kernel'
import { createRuntime, type RuntimeOptions } from './runtime.ts'
import { VERSION } from './version.ts'

export interface EmbeddedKernelOptions {
  /** Default language; `lua` unless told otherwise. */
  language?: Config['kernel.language']
  /** Changes to the defaults. State and history stay in memory unless this says otherwise: embedding leaves no files behind. */
  config?: Partial<Config>
  /** Default: the process's. */
  cwd?: string
  /** Environment given to scripts. Default: the process's. */
  env?: Readonly<Record<string, string>>
  logger?: Logger
  engines?: RuntimeOptions['engines']
}

export interface EmbeddedKernel {
  readonly kernel: Kernel
  /** A client's end of its own, to be opened by a client. */
  connect(): ClientTransport
  /** Ends running work, the engines and the kernel. */
  close(): Promise<void>
}

/** A complete kernel inside this process, spoken to with the same messages as any other, without sockets. */
export async function startEmbeddedKernel(options: EmbeddedKernelOptions = {}): Promise<EmbeddedKernel> {
  const env = options.env ?? (process.env as Record<string, string>)
  const cwd = options.cwd ?? process.cwd()
  const config: Config = { ...defaultConfig(), 'state.driver': 'memory', 'history.enabled': false, ...options.config }
  const [transport, connect] = createMemoryTransport()
  const kernel = createRuntime({
    config,
    paths: resolvePaths(env),
    record: {
      id: `embedded-${randomUUID()}`,
      ...ownIdentity(),
      version: VERSION,
      language: options.language ?? config['kernel.language'],
      cwd,
      startedAt: new Date().toISOString(),
      startedBy: 'foreground',
      idleTimeout: 0,
    },
    transport,
    owned: true,
    cwd,
    env,
    ...(options.logger && { logger: options.logger }),
    ...(options.engines && { engines: options.engines }),
  })
  await kernel.start()
  return { kernel, connect, close: () => kernel.stop('closed') }
}
