import { describe, expect, it } from 'vitest'
import { parseCommand } from '../../../src/debugging/console/command.ts'
import { debugCommands } from '../../../src/debugging/console/commands.ts'

const parse = (line: string): [string, string] => {
  const { command, argument } = parseCommand(debugCommands, line)
  return [command.name, argument]
}

describe('commands of the terminal debugger', () => {
  it.each([
    ['break 12 if i == 3', 'break', '12 if i == 3'],
    ['b 12', 'break', '12'],
    ['  c  ', 'continue', ''],
    ['n 3', 'next', '3'],
    ['s', 'step', ''],
    ['r', 'run', ''],
    ['restart', 'run', ''],
    ['fin', 'finish', ''],
    ['p/2 t.x', 'print', '/2 t.x'],
    ['print  "a  b"', 'print', '"a  b"'],
    ['bt', 'backtrace', ''],
    ['backt 5', 'backtrace', '5'],
    ['w', 'backtrace', ''],
    ['i b', 'info', 'b'],
    ['watch x', 'display', 'x'],
    ['q', 'quit', ''],
    ['?', 'help', ''],
    ['L', 'list', ''],
    ['lo', 'locals', ''],
    ['rev', 'reverse-continue', ''],
    ['cond 1 x > 2', 'condition', '1 x > 2'],
  ])('%s', (line, name, argument) => {
    expect(parse(line)).toEqual([name, argument])
  })

  it.each([
    ['brek 3', 'usage.unknown_command', 'unknown command "brek". Did you mean "break"?'],
    ['x + 1', 'usage.unknown_command', 'unknown command "x". `help` lists them; `print EXPR` evaluates.'],
    ['co', 'usage.ambiguous_command', '"co" is the beginning of continue, condition'],
  ])('%s is an error with words', (line, code, message) => {
    expect(() => parse(line)).toThrow(expect.objectContaining({ code, message }))
  })

  it('has no name or short form twice', () => {
    const words = debugCommands.flatMap(({ name, short = [] }) => [name, ...short])
    expect(words.filter((word, index) => words.indexOf(word) !== index)).toEqual([])
  })
})
