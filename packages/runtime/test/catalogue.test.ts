import { defaultConfig, resolvePaths } from '@llmspell/config'
import { type CallContext, catalogueDispatcher } from '@llmspell/script/catalogue'
import { beforeEach, describe, expect, it } from 'vitest'
import { createCatalogue, describeGlobals } from '../src/catalogue.ts'
import { createStateStore } from '../src/state-store.ts'

let call: (name: string, args?: unknown[], session?: string) => Promise<unknown>

beforeEach(() => {
  const state = createStateStore({ ...defaultConfig(), 'state.driver': 'memory', 'state.max_value_size': 2000 }, resolvePaths({}))
  const record = {
    id: 'k',
    pid: 7,
    startTime: '1',
    version: '1.2.3',
    language: 'lua',
    cwd: '/',
    startedAt: 'then',
    startedBy: 'auto',
    idleTimeout: 0,
  } as const
  const status = () => ({ status: 'ok', record, uptime: 1500, rss_bytes: 9, clients: 2, counters: { requests: 3 } }) as never
  const dispatch = catalogueDispatcher(createCatalogue({ state, status, languages: ['lua'] }))
  call = (name, args = [], session = 's1') =>
    dispatch(name, args, { executionId: 'e', session, signal: new AbortController().signal } satisfies CallContext)
})

describe('State', () => {
  it('stores, tells and removes', async () => {
    expect(await call('State.set', ['k', { a: [1, true, null] }])).toBeUndefined()
    expect(await call('State.get', ['k'])).toEqual({ a: [1, true, null] })
    expect(await call('State.has', ['k'])).toBe(true)
    expect(await call('State.delete', ['k'])).toBe(true)
    expect(await call('State.delete', ['k'])).toBe(false)
    expect(await call('State.get', ['k'])).toBeUndefined()
  })

  it('keeps scopes apart; "session" is the asking client\'s', async () => {
    await call('State.set', ['k', 'global'])
    await call('State.set', ['k', 'mine', { scope: 'session' }], 's1')
    await call('State.set', ['k', 'agent', { scope: 'agent:writer' }])
    expect(await call('State.get', ['k', { scope: 'session' }], 's1')).toBe('mine')
    expect(await call('State.get', ['k', { scope: 'session' }], 's2')).toBeUndefined()
    expect(await call('State.get', ['k', { scope: 'session:s1' }], 's2')).toBe('mine')
    expect(await call('State.get', ['k'])).toBe('global')
    expect(await call('State.scopes')).toEqual(['agent:writer', 'global', 'session:s1'])
  })

  it('lists, counts and clears', async () => {
    for (const key of ['b', 'a:2', 'a:1']) await call('State.set', [key, key])
    expect(await call('State.list')).toEqual(['a:1', 'a:2', 'b'])
    expect(await call('State.list', [{ prefix: 'a:', limit: 1 }])).toEqual(['a:1'])
    expect(await call('State.values', [{ prefix: 'a:' }])).toEqual({ 'a:1': 'a:1', 'a:2': 'a:2' })
    expect(await call('State.clear', [{ prefix: 'a:' }])).toBe(2)
    expect(await call('State.list')).toEqual(['b'])
  })

  it('compares versions before it writes', async () => {
    await call('State.set', ['n', 1, { version: 0 }])
    expect(await call('State.entry', ['n'])).toEqual({ value: 1, version: 1, updated: expect.any(Number) })
    await expect(call('State.set', ['n', 2, { version: 0 }])).rejects.toMatchObject({ code: 'state.version_conflict', data: { found: 1 } })
    await call('State.set', ['n', 2, { version: 1 }])
    expect(await call('State.get', ['n'])).toBe(2)
    expect(await call('State.entry', ['none'])).toBeUndefined()
  })

  it.each<[string, unknown[], string]>([
    ['State.set', ['k'], 'argument.missing'],
    ['State.get', [], 'argument.missing'],
    ['State.get', [1], 'argument.type'],
    ['State.get', ['k', { scop: 'x' }], 'argument.unknown_field'],
    ['State.gett', ['k'], 'catalogue.unknown_function'],
    ['State.get', [''], 'state.bad_key'],
    ['State.get', ['k', { scope: '' }], 'state.bad_scope'],
    ['State.set', ['k', Number.NaN], 'state.bad_value'],
    ['State.set', ['k', 'x'.repeat(3000)], 'state.value_too_large'],
    ['State.list', [{ limit: -1 }], 'state.bad_limit'],
  ])('%s(%j) fails with %s', async (name, args, code) => {
    await expect(call(name, args)).rejects.toMatchObject({ code })
  })
})

describe('Session', () => {
  it('keeps notes by session', async () => {
    expect(await call('Session.id', [], 'abc')).toBe('abc')
    await call('Session.set', ['title', 'One'], 'abc')
    await call('Session.set', ['tags', ['x']], 'abc')
    expect(await call('Session.get', ['title'], 'abc')).toBe('One')
    expect(await call('Session.get', [], 'abc')).toEqual({ tags: ['x'], title: 'One' })
    await call('Session.set', ['title'], 'abc')
    expect(await call('Session.get', [], 'abc')).toEqual({ tags: ['x'] })
    expect(await call('Session.get', [], 'other')).toEqual({})
  })
})

describe('Kernel', () => {
  it('tells about itself', async () => {
    expect(await call('Kernel.info')).toMatchObject({
      id: 'k',
      pid: 7,
      version: '1.2.3',
      languages: ['lua'],
      uptime: 1.5,
      counters: { requests: 3 },
    })
  })
})

describe('describeGlobals', () => {
  it('lists kernel and engine globals as plain data', () => {
    const globals = describeGlobals()
    expect(globals.map(({ name }) => name)).toEqual(expect.arrayContaining(['State', 'Session', 'Kernel', 'Display', 'JSON', 'Log']))
    expect(structuredClone(globals)).toEqual(globals)
  })
})
