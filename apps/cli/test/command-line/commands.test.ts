import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { completionScript } from '../../src/command-line/completion.ts'
import { helpText } from '../../src/command-line/help.ts'
import type { CommandSpec } from '../../src/command-line/spec.ts'
import { commands } from '../../src/commands/index.ts'

function* every(command: CommandSpec, path: CommandSpec[] = []): Generator<CommandSpec[]> {
  const own = [...path, command]
  yield own
  for (const sub of command.commands ?? []) yield* every(sub, own)
}

const paths = [...every(commands)]

describe.each(paths.map((path) => [path.map((command) => command.name).join(' '), path] as const))('%s', (_name, path) => {
  it('has help within the width of the terminal', () => {
    const text = helpText(path, 80)
    expect(text).toContain('--json')
    const examples = text.indexOf('Examples')
    const prose = examples < 0 ? text : text.slice(0, examples)
    expect(prose.split('\n').filter((line) => line.length > 84)).toEqual([])
  })

  it('does something, or has commands that do', async () => {
    const command = path.at(-1) as CommandSpec
    if (command.commands) expect(command.commands.length).toBeGreaterThan(0)
    else expect(typeof (await command.load?.())?.run).toBe('function')
    if (!command.commands) expect(command.json, 'what --json prints must be documented').toBeTruthy()
  })
})

describe('completion', () => {
  const complete = (line: string): string[] => {
    const words = line.split(' ')
    const script = `${completionScript(commands, 'bash', ['kernel.language'])}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _llmspell; printf '%s\\n' "\${COMPREPLY[@]}"`
    const { stdout, stderr, status } = spawnSync('bash', ['-c', script], { encoding: 'utf8' })
    expect(stderr).toBe('')
    expect(status).toBe(0)
    return stdout.trim().split('\n').filter(Boolean)
  }

  it.each([
    ['llmspell ker', ['kernel', 'kernelspec']],
    ['llmspell kernel st', ['start', 'stop', 'status']],
    ['llmspell --json kernel sta', ['start', 'status']],
    ['llmspell run --sh', ['--shared']],
    ['llmspell exec --lang type', ['typescript']],
    ['llmspell config set kernel.l', ['kernel.language']],
    ['llmspell run script', []],
  ])('bash: %s', (line, expected) => {
    expect(complete(line)).toEqual(expected)
  })

  it('gives scripts that zsh and fish can read', () => {
    expect(completionScript(commands, 'zsh', [])).toContain('bashcompinit')
    const fish = completionScript(commands, 'fish', [])
    expect(
      fish
        .trim()
        .split('\n')
        .every((line) => line.startsWith('complete -c llmspell ')),
    ).toBe(true)
  })
})
