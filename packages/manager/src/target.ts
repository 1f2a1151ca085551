import { readFileSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import { LlmspellError, nearest } from '@llmspell/base'
import type { LlmspellPaths } from '@llmspell/config/paths'
import { type ConnectionInfo, parseConnectionFile } from '@llmspell/jupyter'
import { LOOPBACK } from './connect.ts'
import { isKernelRunning, type RegisteredKernel, readKernel, readKernels } from './registry.ts'

/**
 * What `--connect` means: `tcp://HOST:PORT`, the path of a connection file (something with a slash or ending in .json), or the
 * id of a registered kernel.
 */
export function resolveTarget(paths: LlmspellPaths, target: string, env: Readonly<Record<string, string | undefined>>): ConnectionInfo {
  if (target.includes('://')) return resolveAddress(paths, target, env)
  if (target.endsWith('.json') || target.includes('/') || isAbsolute(target)) return readConnectionFile(target)
  return registeredKernel(paths, target).connection
}

/** The running kernel of this id. Code `kernel.not_found` names the near one, or how to start it. */
export function registeredKernel(paths: LlmspellPaths, id: string): RegisteredKernel {
  const kernel = readKernel(paths, id)
  if (kernel && isKernelRunning(kernel)) return kernel
  const running = readKernels(paths).filter(isKernelRunning)
  const near = nearest(
    id,
    running.map((other) => other.record.id),
  )
  throw new LlmspellError(kernel ? `the kernel "${id}" is not running any more` : `no kernel "${id}" is running`, {
    code: 'kernel.not_found',
    data: { id, running: running.map((other) => other.record.id) },
    hint: near
      ? `Did you mean "${near}"?`
      : `\`llmspell kernel list\` shows what runs; \`llmspell kernel start --daemon${id === 'default' ? '' : ` --id ${id}`}\` starts it.`,
  })
}

function readConnectionFile(path: string): ConnectionInfo {
  const file = resolve(path)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new LlmspellError(`cannot read the connection file ${file}: ${(cause as NodeJS.ErrnoException).code}`, {
      code: 'kernel.not_found',
      data: { file },
      cause,
      hint: '`llmspell kernel list` shows the connection files of running kernels.',
    })
  }
  return parseConnectionFile(text, file)
}

/** An address alone says where, not who may: the key comes from the kernel's entry if it is ours, else from the environment. */
function resolveAddress(paths: LlmspellPaths, target: string, env: Readonly<Record<string, string | undefined>>): ConnectionInfo {
  const url = URL.canParse(target) ? new URL(target) : undefined
  const port = Number(url?.port)
  if (url?.protocol !== 'tcp:' || !port || !url.hostname) {
    throw new LlmspellError(`"${target}" is not an address`, {
      code: 'kernel.bad_address',
      data: { target },
      hint: 'Write tcp://HOST:PORT with the first of the kernel’s five ports, or the path of a connection file.',
    })
  }
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const ours = readKernels(paths).find(
    ({ connection }) => connection.transport === 'tcp' && connection.shell_port === port && isSameHost(connection.ip, host),
  )
  if (ours) return ours.connection
  const key = env['LLMSPELL_KEY']
  if (key === undefined) {
    throw new LlmspellError(`no kernel of yours listens on ${host}:${port}, and there is no key for a foreign one`, {
      code: 'kernel.no_key',
      data: { target },
      hint: 'Connect with a copy of its connection file, or set LLMSPELL_KEY to the "key" of that file.',
    })
  }
  return {
    transport: 'tcp',
    ip: host,
    shell_port: port,
    iopub_port: port + 1,
    stdin_port: port + 2,
    control_port: port + 3,
    hb_port: port + 4,
    key,
    signature_scheme: 'hmac-sha256',
  }
}

function isSameHost(a: string, b: string): boolean {
  return a === b || (LOOPBACK.test(a) && LOOPBACK.test(b))
}
