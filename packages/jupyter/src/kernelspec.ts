import { LlmspellError } from '@llmspell/base'

/** `kernel.json`. https://jupyter-client.readthedocs.io/en/stable/kernels.html#kernel-specs */
export interface Kernelspec {
  /** `{connection_file}` and `{resource_dir}` are replaced by who starts the kernel. */
  argv: string[]
  display_name: string
  language: string
  /** Default `signal`. */
  interrupt_mode?: 'signal' | 'message'
  env?: Record<string, string>
  metadata?: Record<string, unknown>
  kernel_protocol_version?: string
}

/** Reads a kernel.json; keys it does not know are kept. Throws `kernelspec.invalid`. */
export function parseKernelspec(text: string, name = 'kernel.json'): Kernelspec {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw invalid(name, 'it is not JSON', cause)
  }
  if (!isRecord(value)) throw invalid(name, 'it is not a JSON object')
  const { argv, display_name, language, interrupt_mode, env, metadata } = value
  if (!Array.isArray(argv) || argv.length === 0 || !argv.every((word) => typeof word === 'string'))
    throw invalid(name, 'argv is not a list of words')
  if (typeof display_name !== 'string') throw invalid(name, 'display_name is not a string')
  if (typeof language !== 'string') throw invalid(name, 'language is not a string')
  if (interrupt_mode !== undefined && interrupt_mode !== 'signal' && interrupt_mode !== 'message')
    throw invalid(name, 'interrupt_mode is neither "signal" nor "message"')
  if (env !== undefined && (!isRecord(env) || !Object.values(env).every((word) => typeof word === 'string')))
    throw invalid(name, 'env is not a map of strings')
  if (metadata !== undefined && !isRecord(metadata)) throw invalid(name, 'metadata is not an object')
  return value as unknown as Kernelspec
}

export function serializeKernelspec(spec: Kernelspec): string {
  return `${JSON.stringify(spec, null, 2)}\n`
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(name: string, reason: string, cause?: unknown): LlmspellError {
  return new LlmspellError(`${name}: ${reason}`, { code: 'kernelspec.invalid', data: { file: name, reason }, cause })
}
