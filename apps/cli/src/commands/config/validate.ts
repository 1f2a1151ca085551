import { resolve } from 'node:path'
import { formatProblem, validateConfigFile } from '@llmspell/config'
import { type Context, flag } from '../../context.ts'
import { EXIT } from '../../exit-codes.ts'

export async function run(context: Context): Promise<number> {
  const { paths, terminal, env, cwd } = context
  const given = context.invocation.positionals[0]
  const file = given === undefined ? paths.configFile : resolve(cwd, given)
  const problems = await validateConfigFile(file, env)
  if (flag(context, 'json')) terminal.out(`${JSON.stringify({ file, problems })}\n`)
  else if (problems.length === 0) terminal.out(`${file} is valid\n`)
  else for (const problem of problems) terminal.out(`${formatProblem(problem)}\n`)
  return problems.length === 0 ? EXIT.ok : EXIT.config
}
