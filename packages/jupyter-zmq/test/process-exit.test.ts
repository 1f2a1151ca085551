import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { withTimeout } from '@llmspell/base'
import { expect, it } from 'vitest'
import { STEP_TIMEOUT_MS } from './support/kernel.ts'

/** Ends only when nothing keeps its loop alive. */
async function runToEnd(program: string): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let stderr = ''
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const exited = once(child, 'exit')
  try {
    const [code] = await withTimeout(exited, STEP_TIMEOUT_MS, 'the process to end by itself')
    return { code: code as number | null, stderr }
  } finally {
    child.kill('SIGKILL')
  }
}

const PROGRAM = (carrier: string, end: string): string => `
  import { Session } from '@llmspell/jupyter'
  import { bindKernelSockets, connectKernel } from '@llmspell/jupyter-zmq'
  const ports = { shell_port: 0, iopub_port: 0, stdin_port: 0, control_port: 0, hb_port: 0 }
  const connection = { transport: 'tcp', ip: '127.0.0.1', ...ports, key: 'k', signature_scheme: 'hmac-sha256' }
  const kernel = await bindKernelSockets({ connection, carrier: '${carrier}' })
  await kernel.open()
  const client = connectKernel(kernel.connection, { carrier: '${carrier}' })
  await client.open()
  const session = new Session()
  for (let i = 0; i < 1000; i++) kernel.publish('t', session.create('stream', { name: 'stdout', text: 'x'.repeat(1000) }))
  client.send('shell', session.create('kernel_info_request', {}))
  ${end}`

it.each(['zmtp', 'libzmq'])('a process ends once its sockets are closed (%s)', async (carrier) => {
  expect(await runToEnd(PROGRAM(carrier, 'await client.close(); await kernel.close()'))).toEqual({ code: 0, stderr: '' })
})

it.each(['zmtp', 'libzmq'])('a process that exits with open sockets is not held up (%s)', async (carrier) => {
  expect(await runToEnd(PROGRAM(carrier, 'process.exit(7)'))).toEqual({ code: 7, stderr: '' })
})
