import type { LlmspellError } from '@llmspell/base'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseCommandLine } from '../../src/command-line/parse.ts'
import { commands } from '../../src/commands/index.ts'

const parse = (line: string) => parseCommandLine(commands, line.split(' '))

function failure(line: string): LlmspellError {
  try {
    parse(line)
  } catch (error) {
    return error as LlmspellError
  }
  throw new Error(`"${line}" was understood`)
}

describe('what is understood', () => {
  it.each([
    ['run a.lua', 'run', ['a.lua'], {}],
    ['run a.lua x -- --json -y', 'run', ['a.lua', 'x', '--json', '-y'], {}],
    ['--json run a.lua', 'run', ['a.lua'], { json: true }],
    ['--trace jupyter run --lang=ts a', 'run', ['a'], { trace: 'jupyter', lang: 'ts' }],
    ['run a.lua --shared --lang lua', 'run', ['a.lua'], { shared: true, lang: 'lua' }],
    ['kernel start --daemon --id b', 'start', [], { daemon: true, id: 'b' }],
    ['kernel --json list', 'list', [], { json: true }],
    ['kernel logs b -n 5 -f', 'logs', ['b'], { lines: '5', follow: true }],
    ['run - --lang lua', 'run', ['-'], { lang: 'lua' }],
    ['exec -- -5', 'exec', ['-5'], {}],
    ['run --help', 'run', [], { help: true }],
    ['-V', 'llmspell', [], { version: true }],
  ])('%s', (line, command, positionals, options) => {
    const invocation = parse(line)
    expect(invocation.command.name).toBe(command)
    expect(invocation.positionals).toEqual(positionals)
    expect(invocation.options).toEqual(options)
  })
})

describe('what is not', () => {
  it.each([
    ['rnu a.lua', 'usage.unknown_command', 'Did you mean "run"?'],
    ['kernel statsu', 'usage.unknown_command', 'Did you mean "status"?'],
    ['frobnicate', 'usage.unknown_command', 'It is one of run, exec,'],
    ['script.lua', 'usage.unknown_command', 'llmspell run script.lua'],
    ['run --jsn a.lua', 'usage.unknown_option', 'Did you mean --json?'],
    ['run -x a.lua', 'usage.unknown_option', '`llmspell run --help`'],
    ['run', 'usage.missing_argument', '`llmspell run --help`'],
    ['exec 1 2', 'usage.unexpected_argument', '--help'],
    ['kernel list x', 'usage.unexpected_argument', '--help'],
    ['exec --lang luaa 1', 'usage.bad_option', 'Did you mean "lua"?'],
    ['exec --lang', 'usage.bad_option', '--help'],
    ['exec --json=yes 1', 'usage.bad_option', '--help'],
    ['exec --timeout soon 1', 'usage.bad_option', '--help'],
    ['kernel logs -n -3', 'usage.bad_option', '--help'],
  ])('%s', (line, code, hint) => {
    const error = failure(line)
    expect(error.code).toBe(code)
    expect(error.hint).toContain(hint)
  })

  it('is always an error of ours, never a crash', () => {
    const word = fc.oneof(fc.string(), fc.constantFrom('run', 'kernel', 'start', '--', '-', '--json', '--lang', '--id=', '-n', '--connect'))
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), (argv) => {
        try {
          parseCommandLine(commands, argv)
        } catch (error) {
          expect((error as LlmspellError).code).toMatch(/^usage\./)
        }
      }),
    )
  })
})
