import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { describeWith } from './describe-with.ts'
import { pythonPath } from './python-path.ts'
import { missingTools, type Tool, toolPath } from './tools.ts'

export interface PythonSuiteOptions {
  /** What the script imports. */
  needs: readonly Tool[]
  args?: readonly string[]
  /** Called once, before the first test. */
  env: () => NodeJS.ProcessEnv
  /** Milliseconds for one test; the script is killed when one takes longer. */
  timeout: number
  /** Tests that have nothing to say here and must skip themselves. Any other skip is a failure. */
  without?: readonly string[]
}

/** For its kernels to end after the last test. */
const END_MS = 20_000

interface Outcome {
  test: string
  outcome: 'passed' | 'failed' | 'skipped'
  detail: string
}

/**
 * The tests of a Python unittest script (one that ends with `suite.main()`), each as a test of its own here.
 * The script runs once, in order; its results are awaited as they come.
 */
export function pythonSuite(name: string, script: string, options: PythonSuiteOptions): void {
  if (missingTools(options.needs).length > 0) {
    describeWith(options.needs, name, () => test.skip('nothing to run it with'))
    return
  }
  const python = String(toolPath('python'))
  const env = { ...process.env, PYTHONPATH: pythonPath, PYTHONDONTWRITEBYTECODE: '1', PYTHONWARNINGS: 'ignore' }
  const listed = spawnSync(python, [script, '--list', ...(options.args ?? [])], { env, encoding: 'utf8' })
  if (listed.status !== 0) throw new Error(`${script} cannot list its tests:\n${listed.stderr}`)
  const names = JSON.parse(listed.stdout) as string[]
  if (names.length === 0) throw new Error(`${script} has no tests`)

  describe(name, () => {
    const waiting = new Map(names.map((each) => [each, Promise.withResolvers<Outcome>()]))
    for (const { promise } of waiting.values()) promise.catch(() => {}) // awaited later, by its own test
    let child: ChildProcess | undefined
    let errors = ''

    beforeAll(() => {
      child = spawn(python, [script, ...(options.args ?? [])], {
        env: { ...options.env(), PYTHONPATH: pythonPath },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-8000)))
      if (child.stdout) {
        createInterface({ input: child.stdout }).on('line', (line) => {
          if (!line.startsWith('{"test":')) return
          const outcome = JSON.parse(line) as Outcome
          waiting.get(outcome.test)?.resolve(outcome)
        })
      }
      child.on('close', (code, signal) => {
        for (const { reject } of waiting.values()) reject(new Error(`${script} ended with ${signal ?? code} before this test\n${errors}`))
      })
    })

    afterAll(async () => {
      if (!child || child.exitCode !== null || child.signalCode !== null) return
      const closed = once(child, 'close')
      const hurry = setTimeout(() => child?.kill('SIGTERM'), END_MS) // it stops its kernels on that, too
      await closed
      clearTimeout(hurry)
    })

    for (const [each, { promise }] of waiting) {
      if (options.without?.includes(each)) continue
      test(each, { timeout: options.timeout }, async () => {
        const { outcome, detail } = await promise
        if (outcome === 'failed') throw new Error(`${detail}\n${errors}`)
        if (outcome === 'skipped') throw new Error(`it skipped itself: ${detail || 'no reason given'}`)
      })
    }
  })
}
