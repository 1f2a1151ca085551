import { LlmspellError } from '@llmspell/base'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CatalogueParameter } from '../../src/catalogue/catalogue.ts'
import { checkArguments } from '../../src/catalogue/check-arguments.ts'
import { catalogueDispatcher } from '../../src/catalogue/dispatch.ts'
import { store } from './sample-modules.ts'

const [get, set] = store.functions
if (!get || !set) throw new Error('the sample catalogue changed')

function errorOf(run: () => unknown): LlmspellError {
  try {
    run()
  } catch (error) {
    if (LlmspellError.is(error)) return error
    throw error
  }
  throw new Error('expected an error')
}

describe('checkArguments', () => {
  it('passes good arguments and drops trailing absent ones', () => {
    expect(checkArguments('Store', get, ['a'])).toEqual(['a'])
    expect(checkArguments('Store', get, ['a', undefined])).toEqual(['a'])
    expect(checkArguments('Store', get, ['a', null])).toEqual(['a'])
    expect(checkArguments('Store', get, ['a', { scope: 'kernel' }])).toEqual(['a', { scope: 'kernel' }])
  })

  it('names a missing argument, its place and type, and shows the call', () => {
    const error = errorOf(() => checkArguments('Store', get, []))
    expect(error.message).toBe("Store.get: argument 1 'key' (string) is missing")
    expect(error.code).toBe('argument.missing')
    expect(error.hint).toBe('Call it as Store.get(key: string, options?: object).')
  })

  it('says what it got instead of the right type', () => {
    expect(errorOf(() => checkArguments('Store', get, [7])).message).toBe("Store.get: argument 1 'key' must be string, got number 7")
    expect(errorOf(() => checkArguments('Store', get, ['a', 'kernel'])).message).toBe(
      "Store.get: argument 2 'options' must be object, got string 'kernel'",
    )
  })

  it('suggests the near field and the near value', () => {
    const field = errorOf(() => checkArguments('Store', get, ['a', { scop: 'kernel' }]))
    expect(field.message).toBe("Store.get: unknown field 'scop' in 'options'; did you mean 'scope'?")
    expect(field.data).toMatchObject({ argument: 'options.scop', suggestion: 'scope' })
    const value = errorOf(() => checkArguments('Store', get, ['a', { scope: 'kernle' }]))
    expect(value.message).toBe("Store.get: field 'options.scope' must be one of 'kernel', 'session', got 'kernle'; did you mean 'kernel'?")
  })

  it('refuses more arguments than there are parameters', () => {
    expect(errorOf(() => checkArguments('Store', get, ['a', {}, 1])).message).toBe('Store.get takes at most 2 arguments, got 3')
  })

  it('takes an empty Lua table for an object and for an array', () => {
    expect(checkArguments('Store', get, ['a', []])).toEqual(['a', {}])
    expect(checkArguments('Store', set, ['a', 1, {}])).toEqual(['a', 1, []])
  })

  it('keeps null and false where any value is stored', () => {
    expect(checkArguments('Store', set, ['a', null])).toEqual(['a', null])
    expect(checkArguments('Store', set, ['a', false])).toEqual(['a', false])
    expect(errorOf(() => checkArguments('Store', set, ['a'])).code).toBe('argument.missing')
  })

  it('never takes inherited fields for given ones', () => {
    const parameter: CatalogueParameter = {
      name: 'options',
      type: 'object',
      doc: '',
      fields: [{ name: 'toString', type: 'string', optional: true, doc: '' }],
    }
    expect(checkArguments('M', { name: 'f', doc: '', parameters: [parameter] }, [{}])).toEqual([{}])
  })

  it('accepts or throws its own errors for any input', () => {
    fc.assert(
      fc.property(fc.array(fc.anything(), { maxLength: 4 }), (args) => {
        try {
          checkArguments('Store', get, args)
        } catch (error) {
          expect(LlmspellError.is(error)).toBe(true)
        }
      }),
    )
  })
})

describe('catalogueDispatcher', () => {
  const context = { executionId: 'e', session: 's', signal: new AbortController().signal }

  it('runs a function with checked arguments', async () => {
    expect(await catalogueDispatcher([store])('Store.get', ['a', []], context)).toEqual(['a', {}])
  })

  it('suggests the near function', async () => {
    await expect(catalogueDispatcher([store])('Store.gte', [], context)).rejects.toMatchObject({
      code: 'catalogue.unknown_function',
      message: "unknown function 'Store.gte'; did you mean 'Store.get'?",
    })
  })
})
