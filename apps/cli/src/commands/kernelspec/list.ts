import { listKernelspecs } from '@llmspell/manager/kernelspec'
import { type Context, flag } from '../../context.ts'
import { EXIT } from '../../exit-codes.ts'
import { table } from '../../render/table.ts'

export async function run(context: Context): Promise<number> {
  const { terminal, env } = context
  const found = listKernelspecs(env)
  if (flag(context, 'json')) {
    const kernelspecs = found.map(({ name, directory, spec, problem }) => ({ name, directory, argv: spec.argv, problem: problem ?? null }))
    terminal.out(`${JSON.stringify({ kernelspecs })}\n`)
  } else if (found.length === 0) {
    terminal.out('none is installed; `llmspell kernelspec install` does it\n')
  } else {
    terminal.out(
      table(
        ['NAME', 'DIRECTORY', 'STATE'],
        found.map(({ name, directory, problem }) => [name, directory, problem ?? 'ok']),
      ),
    )
  }
  return EXIT.ok
}
