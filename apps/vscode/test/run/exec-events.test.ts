import { describe, expect, test } from 'vitest'
import { parseEvent, textOf } from '../../src/run/exec-events.ts'

describe('lines of llmspell exec --json', () => {
  test.each([
    ['{"type":"stream","name":"stdout","text":"a\\n"}', 'a\n'],
    ['{"type":"execute_result","data":{"text/plain":"\\u001b[33m42\\u001b[39m"},"execution_count":1}', '42\n'],
    ['{"type":"display_data","data":{"image/png":"…"}}', '<image/png>\n'],
    ['{"type":"error","ename":"E","evalue":"v","traceback":["\\u001b[31mE\\u001b[0m: v","at x:1"]}', 'E: v\nat x:1\n'],
    ['{"type":"error","ename":"E","evalue":"v","traceback":[]}', 'E: v\n'],
    ['{"type":"end","status":"ok","exitCode":0}', ''],
  ])('%s', (line, text) => {
    const event = parseEvent(line)
    expect(event && textOf(event)).toBe(text)
  })

  test('a failure of the command is thrown with its hint', () => {
    const line = '{"error":{"code":"kernel.none","message":"there is no kernel","hint":"Start one."}}'
    expect(() => parseEvent(line)).toThrow(expect.objectContaining({ code: 'kernel.none', hint: 'Start one.' }))
  })

  test('what is no JSON is not lost', () => {
    expect(() => parseEvent('Segmentation fault')).toThrow('Segmentation fault')
  })

  test('an empty line is nothing', () => expect(parseEvent(' ')).toBeUndefined())
})
