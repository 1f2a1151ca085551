import { homedir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { boolean, choice, duration, integer, type Kind, path, size } from '../src/kinds.ts'

describe('kinds', () => {
  it.each<[string, Kind<unknown>, string, unknown]>([
    ['duration', duration(), '90s', 90_000],
    ['duration', duration(), '1h30m', 5_400_000],
    ['duration', duration(), '1.5h', 5_400_000],
    ['duration', duration(), '500ms', 500],
    ['duration', duration(), '0', 0],
    ['size', size(), '512MB', 512e6],
    ['size', size(), '1GiB', 1024 ** 3],
    ['size', size(), '4096', 4096],
    ['size', size(), '1.5 KiB', 1536],
    ['boolean', boolean(), 'on', true],
    ['boolean', boolean(), 'FALSE', false],
    ['integer', integer(), ' 12 ', 12],
    ['path', path(), '/a b/c', '/a b/c'],
    ['path', path(), '', ''],
    ['path', path(), '~/x', join(homedir(), 'x')],
    ['choice', choice('a', 'b'), 'b', 'b'],
  ])('%s: reads %s %s', (_, kind, given, expected) => expect(kind.parse(given)).toBe(expected))

  it.each<[string, Kind<unknown>, unknown, RegExp]>([
    ['duration', duration(), '30', /such as "30m"/],
    ['duration', duration(), 30, /not 30/],
    ['duration', duration(), '', /duration/],
    ['duration', duration(), '10 parsecs', /duration/],
    ['duration', duration(), '99d', /24 days at most/],
    ['size', size({ minimum: 1024 }), '1kB', /must be "1KiB" or more/],
    ['size', size(), -1, /size/],
    ['size', size(), 1.5, /size/],
    ['size', size(), '5TB', /size/],
    ['integer', integer({ minimum: 1, maximum: 9 }), 10, /9 or less/],
    ['integer', integer({ minimum: 1 }), 0, /1 or more/],
    ['integer', integer(), '1', /whole number, not "1"/],
    ['integer', integer(), 1.5, /whole number/],
    ['boolean', boolean(), 'yes', /true or false/],
    ['path', path(), 'state.db', /absolute path/],
    ['path', path(), ['x'], /a list/],
    ['path', path(), {}, /a table/],
    ['path', path(), new Date(), /a date/],
    ['choice', choice('ipc', 'tcp'), 'tcpp', /did you mean "tcp"/],
  ])('%s: refuses %s %j', (_, kind, given, message) => expect(() => kind.read(given)).toThrow(message))

  it('shows what it reads back', () => {
    const unquoted = (shown: string): string => (shown.startsWith('"') ? (JSON.parse(shown) as string) : shown)
    fc.assert(
      fc.property(fc.nat(2 ** 31 - 1), fc.nat(), (ms, bytes) => {
        expect(duration().parse(unquoted(duration().show(ms)))).toBe(ms)
        expect(size().parse(unquoted(size().show(bytes)))).toBe(bytes)
      }),
    )
  })
})
