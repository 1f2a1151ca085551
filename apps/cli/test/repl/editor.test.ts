import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Editor, type EditorRequest, type Key } from '../../src/repl/editor.ts'

const NAMED: Record<string, Key> = {
  '<': { name: 'left' },
  '>': { name: 'right' },
  '^': { name: 'up' },
  v: { name: 'down' },
}

/** Letters are typed; `{a}` is Ctrl-A, `[b]` Alt-B, `(left)` a named key. */
function press(editor: Editor, script: string): (EditorRequest | undefined)[] {
  return [...script.matchAll(/\{(\w+)\}|\[(\w+)\]|\((\w+-?\w*)\)|([\s\S])/gu)].map(([, control, meta, name, letter]) => {
    if (control) return editor.key(undefined, { name: control, ctrl: true })
    if (meta) return editor.key(undefined, { name: meta, meta: true })
    if (name) return editor.key(undefined, NAMED[name] ?? { name })
    return editor.key(letter, { name: letter, sequence: letter })
  })
}

function edited(script: string, history: string[] = []): string {
  const editor = new Editor(history)
  press(editor, script)
  return `${editor.text.slice(0, editor.cursor)}|${editor.text.slice(editor.cursor)}`
}

describe('editing', () => {
  it.each([
    ['abc', 'abc|'],
    ['abc(left)(left)X', 'aX|bc'],
    ['abc(backspace)', 'ab|'],
    ['abc{a}(delete)', '|bc'],
    ['one two{w}', 'one |'],
    ['one two{u}', '|'],
    ['one two{a}[f]X', 'oneX| two'],
    ['one two[b]X', 'one X|two'],
    ['one two{a}{k}{y}{y}', 'one twoone two|'],
    ['one two[b][d]', 'one |'],
    ['a{j}b', 'a\nb|'],
    ['ab{j}cd(up)X', 'abX|\ncd'],
    ['abcd{j}x(up){e}(down)', 'abcd\nx|'],
    ['a{j}b(up){e}{k}', 'a|b'],
    ['  (tab)x', '    x|'],
    ['日本(left)x', '日x|本'],
    ['👩‍👩‍👧z(left)(backspace)', '|z'],
  ])('%s', (script, expected) => {
    expect(edited(script)).toBe(expected)
  })

  it('asks for what only its driver can do', () => {
    expect(press(new Editor([]), '{d}')).toEqual(['end'])
    expect(press(new Editor([]), 'a{d}')).toEqual([undefined, undefined])
    expect(press(new Editor([]), 'a(tab)')).toEqual([undefined, 'complete'])
    expect(press(new Editor([]), '(return){c}{l}{z}')).toEqual(['submit', 'cancel', 'clear-screen', 'suspend'])
  })

  it('takes a paste as one thing: its line ends do not submit, its tabs do not complete', () => {
    const editor = new Editor([])
    editor.key(undefined, { name: 'paste-start' })
    expect(editor.key('if x\r', { name: 'return' })).toBeUndefined()
    expect(editor.key('\t', { name: 'tab' })).toBeUndefined()
    editor.key(undefined, { name: 'paste-end' })
    expect(editor.text).toBe('if x\n\t')
    expect(editor.key('\r', { name: 'return' })).toBe('submit')
  })
})

describe('history', () => {
  const history = ['print(1)', 'x = 2', 'print(3)', 'for a\nend']

  it.each([
    ['(up)', 'for a\nend|'],
    ['{p}{p}', 'print(3)|'],
    ['(up)(up)(up)', 'print(3)|'], // from the last line of an entry up through its lines
    ['p(up)', 'print(3)|'],
    ['p(up)(up)', 'print(1)|'],
    ['p(up)(up)(down)(down)', 'p|'],
    ['zzz(up)', 'zzz|'],
    ['{p}{p}{n}', 'for a\nend|'],
  ])('%s', (script, expected) => {
    expect(edited(script, history)).toBe(expected)
  })

  it.each([
    ['{r}rin', 'p|rint(3)'],
    ['{r}rin{r}', 'p|rint(1)'],
    ['{r}rin(left)', '|print(3)'],
    ['abc{r}zzz', 'abc|'],
    ['abc{r}rin{g}', 'abc|'],
    ['{r}rinx(backspace)', 'p|rint(3)'],
    ['{r}x ={e}', 'x = 2|'],
  ])('search %s', (script, expected) => {
    expect(edited(script, history)).toBe(expected)
  })

  it('says what it searches and that it found nothing', () => {
    const editor = new Editor(history)
    press(editor, '{r}zz')
    expect(editor.searching).toEqual({ query: 'zz', failed: true })
    press(editor, '{c}')
    expect(editor.searching).toBeUndefined()
  })
})

it('keeps the cursor inside the text whatever is pressed', () => {
  const key = fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }).map((typed) => [typed, { name: typed }] as const),
    fc
      .constantFrom('left', 'right', 'up', 'down', 'home', 'end', 'backspace', 'delete', 'tab', 'escape')
      .map((name) => [undefined, { name }] as const),
    fc.constantFrom(...'abcdefhjklnpruwy'.split('')).map((name) => [undefined, { name, ctrl: true }] as const),
    fc.constantFrom('b', 'f', 'd', 'backspace').map((name) => [undefined, { name, meta: true }] as const),
  )
  fc.assert(
    fc.property(fc.array(key, { maxLength: 60 }), fc.array(fc.string(), { maxLength: 4 }), (keys, history) => {
      const editor = new Editor(history)
      for (const [typed, pressed] of keys) {
        editor.key(typed, pressed)
        expect(editor.cursor).toBeGreaterThanOrEqual(0)
        expect(editor.cursor).toBeLessThanOrEqual(editor.text.length)
      }
    }),
  )
})
