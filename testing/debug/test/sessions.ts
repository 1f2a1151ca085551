import { createHome, type Home } from '@llmspell/testkit'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { Editor } from './editor.ts'

export interface Sessions {
  home(): Home
  /** An editor that is gone after the test. */
  editor(...args: ConstructorParameters<typeof Editor> extends [Home, ...infer Rest] ? Rest : never): Editor
}

/** A home with its kernel for the tests of one file, and editors that are closed after each test. */
export function sessions(): Sessions {
  let home: Home | undefined
  const editors: Editor[] = []
  const open = (): Home => {
    if (!home) throw new Error('asked before the tests began')
    return home
  }
  beforeAll(async () => {
    home = createHome()
    const started = await home.llmspell(['kernel', 'start', '--daemon'])
    expect(started.code, started.stderr).toBe(0)
  })
  afterEach(async () => {
    await Promise.all(editors.splice(0).map((editor) => editor.kill()))
  })
  afterAll(() => home?.dispose())
  return {
    home: open,
    editor(...rest) {
      const editor = new Editor(open(), ...rest)
      editors.push(editor)
      return editor
    },
  }
}
