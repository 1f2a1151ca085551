/** The exit codes of every command; a script that ends itself (`os.exit(3)`) gives its own. */
export const EXIT = {
  ok: 0,
  /** The script or the code failed. */
  failed: 1,
  /** The command line was not understood. */
  usage: 2,
  /** There is no kernel, or it cannot be reached or started. */
  noKernel: 3,
  /** The kernel died, or was stopped, during the work. */
  kernelDied: 4,
  /** The configuration is wrong. */
  config: 5,
  timeout: 124,
  interrupted: 130,
  /** Whoever read the output went away; what a shell reports for SIGPIPE. */
  brokenPipe: 141,
  terminated: 143,
} as const

/** By the code of an error; the first prefix that fits counts. */
const BY_PREFIX: readonly (readonly [string, number])[] = [
  ['usage.', EXIT.usage],
  ['config.bad_kernel_id', EXIT.usage],
  ['kernel.bad_address', EXIT.usage],
  ['config.', EXIT.config],
  ['kernel.died', EXIT.kernelDied],
  ['kernel.output_incomplete', EXIT.kernelDied],
  ['kernel.', EXIT.noKernel],
  ['connection_file.', EXIT.noKernel],
  ['transport.', EXIT.noKernel],
  ['zmq.', EXIT.noKernel],
  ['timeout', EXIT.timeout],
]

export function exitCodeOf(code: string | undefined): number {
  return BY_PREFIX.find(([prefix]) => code?.startsWith(prefix))?.[1] ?? EXIT.failed
}
