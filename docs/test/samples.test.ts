import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, relative } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { matches, readSamples, type Sample } from './samples.ts'

const root = join(import.meta.dirname, '../..')
const bin = join(root, 'apps/cli/bin/llmspell.js')
const COMMAND_TIMEOUT = 60_000

function documents(): string[] {
  const pages = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'))
  const readmes = ['packages', 'apps'].flatMap((group) =>
    readdirSync(join(root, group)).map((name) => join(root, group, name, 'README.md')),
  )
  return [join(root, 'README.md'), ...pages.map((name) => join(root, 'docs', name)), ...readmes].filter((path) => existsSync(path))
}

let home: string
let env: NodeJS.ProcessEnv

/** A place like a user's: `llmspell` on PATH, directories of its own, the packages as if installed. */
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'llmspell-docs-'))
  const commands = join(home, 'bin')
  mkdirSync(commands)
  writeFileSync(join(commands, 'llmspell'), `#!/bin/sh\nexec "${process.execPath}" "${bin}" "$@"\n`)
  chmodSync(join(commands, 'llmspell'), 0o755)
  symlinkSync(process.execPath, join(commands, 'node'))
  const modules = join(home, 'node_modules', '@llmspell')
  mkdirSync(modules, { recursive: true })
  for (const name of readdirSync(join(root, 'packages'))) symlinkSync(join(root, 'packages', name), join(modules, name))
  env = {
    ...process.env,
    HOME: home,
    PATH: [commands, process.env['PATH']].join(delimiter),
    NO_COLOR: '1',
  }
  for (const name of ['NODE_OPTIONS', 'VITEST', 'FORCE_COLOR']) delete env[name]
})

afterAll(() => rmSync(home, { recursive: true, force: true }))

// Each document has a reader of its own, who has no kernel and no state yet.
beforeEach(() => {
  env['LLMSPELL_HOME'] = mkdtempSync(join(home, 'user-'))
})

afterEach(() => {
  spawnSync(process.execPath, [bin, 'kernel', 'stop', '--all'], { env, timeout: COMMAND_TIMEOUT })
})

function run(command: string, args: string[], cwd: string): { status: number | null; printed: string; stdout: string } {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, env, encoding: 'utf8', timeout: COMMAND_TIMEOUT })
  if (error) throw new Error(`${command} ${args.join(' ')}: ${error.message}`)
  return { status, stdout, printed: `${stdout}${stderr}` }
}

function check(sample: Sample, cwd: string, at: string): void {
  switch (sample.kind) {
    case 'file':
      mkdirSync(dirname(join(cwd, sample.name)), { recursive: true })
      writeFileSync(join(cwd, sample.name), sample.text)
      return
    case 'script': {
      const file = join(cwd, `sample-${sample.line}.${sample.language === 'js' ? 'mjs' : sample.language}`)
      writeFileSync(file, sample.text)
      const { status, printed, stdout } = run('llmspell', ['run', file], cwd)
      expect(status, `${at}:\n${printed}`).toBe(0)
      if (sample.output !== undefined) expect(matches(sample.output, stdout), `${at} printed:\n${stdout}`).toBe(true)
      return
    }
    case 'console':
      for (const { command, output } of sample.steps) {
        const { printed } = run('bash', ['-c', command], cwd)
        expect(matches(output, printed), `${at}: $ ${command}\nprinted:\n${printed}\nexpected:\n${output}`).toBe(true)
      }
      return
    case 'manual':
      console.log(`${at}: not run: ${sample.reason}`)
  }
}

const withSamples = documents()
  .map((path) => ({ path, name: relative(root, path), samples: readSamples(path) }))
  .filter(({ samples }) => samples.length > 0)

describe.each(withSamples)('$name', ({ name, samples }) => {
  test(`its ${samples.length} samples work`, () => {
    const cwd = mkdtempSync(join(home, 'cwd-'))
    for (const sample of samples) check(sample, cwd, `${name}:${sample.line}`)
  }, 180_000)
})

test('examples run', () => {
  const cwd = mkdtempSync(join(home, 'examples-'))
  for (const file of readdirSync(join(root, 'examples')).filter((name) => /\.(lua|js|mjs|ts)$/.test(name))) {
    const { status, printed } = run('llmspell', ['run', join(root, 'examples', file)], cwd)
    expect(status, `${file}:\n${printed}`).toBe(0)
  }
})
