import { codeOf, LlmspellError } from '@llmspell/base'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CHANNELS, isMessageType, type MessageType, replyTypeOf } from '../src/messages/map.ts'
import { Session } from '../src/session.ts'
import { parseContent, parseMessage } from '../src/validation/index.ts'

const TYPES = Object.keys(CHANNELS) as MessageType[]

describe('the map of messages', () => {
  it('has the reply of every request', () => {
    for (const type of TYPES.filter((name) => name.endsWith('_request') && name !== 'input_request'))
      expect(TYPES).toContain(replyTypeOf(type))
  })

  it('answers unknown requests by the naming rule, and nothing else', () => {
    expect(replyTypeOf('frobnicate_request')).toBe('frobnicate_reply')
    expect(replyTypeOf('comm_open')).toBeUndefined()
    expect(replyTypeOf('input_request')).toBeUndefined()
    expect([isMessageType('execute_request'), isMessageType('frobnicate_request'), isMessageType('toString')]).toEqual([true, false, false])
  })
})

describe('content that arrives', () => {
  it('gets the defaults of the specification, and keeps what is not known', () => {
    expect(parseContent('execute_request', { code: '1', future: true })).toEqual({
      code: '1',
      silent: false,
      store_history: true,
      user_expressions: {},
      allow_stdin: true,
      stop_on_error: true,
      future: true,
    })
    expect(parseContent('execute_request', { code: '1', silent: true, store_history: true }).store_history).toBe(false)
    expect(parseContent('history_request', { hist_access_type: 'tail', n: 3, stop: null, pattern: null })).toEqual({
      output: false,
      raw: true,
      hist_access_type: 'tail',
      n: 3,
      unique: false,
    })
    expect(parseContent('complete_request', { code: 'a😀' }).cursor_pos).toBe(2)
    expect(parseContent('inspect_request', { code: 'abc', cursor_pos: 0 })).toMatchObject({ cursor_pos: 0, detail_level: 0 })
    expect(parseContent('shutdown_request', {})).toEqual({ restart: false })
  })

  it('keeps expressions of any name', () => {
    const user_expressions = JSON.parse('{"__proto__":"1","constructor":"2","x":"3"}') as Record<string, string>
    const parsed = parseContent('execute_request', { code: '', user_expressions })
    expect(Object.entries(parsed.user_expressions)).toEqual(Object.entries(user_expressions))
  })

  it('may be a failed or aborted reply of any kernel', () => {
    expect(parseContent('complete_reply', { status: 'error' })).toEqual({ status: 'error', ename: 'Error', evalue: '', traceback: [] })
    expect(parseContent('execute_reply', { status: 'abort', execution_count: 1 })).toMatchObject({ status: 'aborted' })
    expect(parseContent('is_complete_reply', { status: 'incomplete', indent: null })).toEqual({ status: 'incomplete' })
    expect(parseContent('kernel_info_reply', { protocol_version: '5.0', language_info: { name: 'x' } })).toMatchObject({
      status: 'ok',
      banner: '',
    })
  })

  it.each<[MessageType, unknown, string]>([
    ['execute_request', {}, 'execute_request: content.code is missing'],
    ['execute_request', { code: 1 }, 'execute_request: content.code must be string, not 1'],
    ['execute_request', { code: '', silent: 'yes' }, 'execute_request: content.silent must be boolean, not "yes"'],
    ['execute_request', { code: '', user_expressions: { a: 1 } }, 'execute_request: content.user_expressions.a must be string, not 1'],
    ['inspect_request', { code: '', detail_level: 2 }, 'inspect_request: content.detail_level must be (0 | 1), not 2'],
    ['comm_open', { comm_id: 'c', target_name: 't', data: [] }, 'comm_open: content.data must be object, not Array'],
    ['kernel_info_request', 'text', 'kernel_info_request: content must be Object, not "text"'],
  ])('%s %j is refused: %s', (type, content, message) => {
    try {
      parseContent(type, content)
      expect.unreachable('it must be refused')
    } catch (error) {
      expect([codeOf(error), (error as Error).message]).toEqual(['wire.invalid_content', message])
      expect((error as LlmspellError).data['msg_type']).toBe(type)
    }
  })

  it('is not quoted at length in an error', () => {
    const refuse = (): unknown => parseContent('shutdown_request', { restart: 'x'.repeat(1_000_000) })
    expect(refuse).toThrow(/^.{1,200}$/)
  })

  it('of any JSON is typed or refused with its code, for every type', () => {
    for (const type of TYPES)
      fc.assert(
        fc.property(fc.jsonValue(), (content) => {
          try {
            parseContent(type, content)
          } catch (error) {
            expect(LlmspellError.is(error) && error.code).toBe('wire.invalid_content')
          }
        }),
        { numRuns: 30 },
      )
  })

  it('of unknown types passes as it is', () => {
    const message = new Session().createRaw('custom_request', 'shell', { any: [1] } as Record<string, unknown>)
    expect(parseMessage(message)).toBe(message)
  })
})

describe('a session', () => {
  it('gives every message an id of its own and a date with time zone', () => {
    const session = new Session({ username: 'me' })
    const messages = Array.from({ length: 1000 }, () => session.create('interrupt_request', {}))
    expect(new Set(messages.map((message) => message.header.msg_id)).size).toBe(1000)
    expect(messages[0]).toMatchObject({ channel: 'control', header: { session: session.id, username: 'me', version: '5.5' } })
    expect(new Date(messages[0]?.header.date ?? '').toISOString()).toBe(messages[0]?.header.date)
    expect(new Session().id).not.toBe(session.id)
  })

  it('puts a message on the usual channel of its type, or where it is told', () => {
    const session = new Session()
    expect(session.create('kernel_info_request', {}).channel).toBe('shell')
    expect(session.create('kernel_info_request', {}, { channel: 'control', subshellId: 's' })).toMatchObject({
      channel: 'control',
      header: { subshell_id: 's' },
    })
  })
})
