import { type Context, flag } from '../context.ts'
import { type Check, runChecks } from '../doctor/checks.ts'
import { EXIT } from '../exit-codes.ts'

const MARKS: Record<Check['status'], string> = { ok: '\x1b[32m✓\x1b[0m', warning: '\x1b[33m!\x1b[0m', failed: '\x1b[31m✗\x1b[0m' }

export async function run(context: Context): Promise<number> {
  const { terminal } = context
  const json = flag(context, 'json')
  const checks: Check[] = []
  for await (const check of runChecks(context)) {
    checks.push(check)
    if (json) continue
    const mark = terminal.colors('stdout') ? MARKS[check.status] : check.status.padEnd(7)
    terminal.out(`${mark} ${check.name}: ${check.message}\n${check.hint ? `    ${check.hint}\n` : ''}`)
  }
  const ok = checks.every((check) => check.status !== 'failed')
  if (json) terminal.out(`${JSON.stringify({ ok, checks })}\n`)
  else terminal.out(ok ? '\nllmspell works here\n' : `\n${checks.filter((check) => check.status === 'failed').length} checks failed\n`)
  return ok ? EXIT.ok : EXIT.failed
}
