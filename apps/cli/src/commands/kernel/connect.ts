import { resolve } from 'node:path'
import { endpointOf } from '@llmspell/jupyter'
import { connectTo, DEFAULT_KERNEL_ID, resolveTarget } from '@llmspell/manager'
import { type Context, flag } from '../../context.ts'
import { EXIT } from '../../exit-codes.ts'
import { startTrace } from '../../session/trace.ts'

export async function run(context: Context): Promise<number> {
  const { paths, terminal, env, cwd } = context
  const target = context.invocation.positionals[0] ?? DEFAULT_KERNEL_ID
  const connection = resolveTarget(paths, target, env)
  const file = connection.llmspell
    ? paths.connectionFile(connection.llmspell.id)
    : target.includes('://')
      ? undefined
      : resolve(cwd, target)
  const client = await connectTo(connection)
  startTrace(context, client)
  try {
    const latencyMs = Number((await client.ping(5_000)).toFixed(2))
    const kernelInfo = await client.kernelInfo({ channel: 'shell' })
    const endpoint = endpointOf(connection, 'shell')
    if (flag(context, 'json')) {
      const shown = { id: connection.llmspell?.id, connectionFile: file, transport: connection.transport, endpoint, latencyMs, kernelInfo }
      terminal.out(`${JSON.stringify(shown)}\n`)
      return EXIT.ok
    }
    terminal.out(`${kernelInfo.banner.split('\n')[0]}\nanswers at ${endpoint} in ${latencyMs} ms\n`)
    if (file) {
      terminal.out(`\nfrom Jupyter   jupyter console --existing ${quote(file)}\n`)
      terminal.out(`from here      llmspell repl --connect ${quote(connection.llmspell?.id ?? file)}\n`)
    }
    return EXIT.ok
  } finally {
    await client.close()
  }
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}
