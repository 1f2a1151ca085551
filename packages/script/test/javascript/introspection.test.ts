import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { engineUnderTest, REPLY_MS, type UnderTest, until } from './engine-under-test.ts'

vi.setConfig({ testTimeout: 2 * REPLY_MS, hookTimeout: REPLY_MS })

let js: UnderTest
beforeAll(async () => {
  js = engineUnderTest({
    catalogue: [
      {
        name: 'Test',
        doc: 'For tests.',
        functions: [
          { name: 'echo', doc: 'Gives back what it gets.', parameters: [{ name: 'value', type: 'any', doc: 'anything' }], sync: true },
        ],
      },
    ],
  })
  await js.engine.start()
  await js.run(`let wizard = { wand: 'oak', wave() {}, get danger() { globalThis.touched = true; return 1 } }; class Spell {}; var old = 1
    function cast(spell, power = 1) { return spell }
    import * as path from 'node:path'
    const trap = new Proxy({}, { ownKeys() { globalThis.touched = true; return [] } })
    globalThis.later = { get value() { globalThis.touched = true; return {} } }`)
})
afterAll(() => js.engine.dispose())

/** `|` is the cursor. */
async function complete(marked: string): Promise<{ texts: string[]; start: number; end: number; kinds: Record<string, string> }> {
  const offset = marked.indexOf('|')
  const { items, start, end } = await js.engine.complete(marked.replace('|', ''), offset, 'javascript')
  return { texts: items.map((item) => item.text), start, end, kinds: Object.fromEntries(items.map((item) => [item.text, item.kind])) }
}

describe('completion', () => {
  const cases: Record<string, string[]> = {
    'wiz|': ['wizard'],
    'Spe|': ['Spell'],
    'ol|': ['old'],
    'cas|': ['cast', 'case'],
    'consol|': ['console'],
    'awa|': ['await'],
    'wizard.wa|': ['wand', 'wave'],
    'wizard?.wa|': ['wand', 'wave'],
    'wizard.wand.toUp|': ['toUpperCase'],
    'let x = wizard . wa|nd': ['wand', 'wave'],
    '"text".incl|': ['includes'],
    '[1, 2].findL|': ['findLast', 'findLastIndex'],
    'wizard["wand"].spli|': ['split'],
    'old.toF|': ['toFixed'],
    'path.joi|': ['join'],
    'Test.|': ['echo', 'echoSync'],
    'Display.mark|': ['markdown'],
    'import x from "node:f|': ['node:fs', 'node:fs/promises'],
    'require("chi|': ['child_process'],
    'f(wizard.wan|)': ['wand'],
    '`${wizard.wan|}`': ['wand'],
  }
  for (const [marked, expected] of Object.entries(cases)) {
    it(`of ${marked} finds ${expected.join(', ')}`, async () => {
      const found = await complete(marked)
      for (const text of expected) expect(found.texts).toContain(text)
      expect(found.end).toBe(marked.indexOf('|'))
      const word = marked.replace('|', '').slice(found.start, found.end)
      for (const text of found.texts) expect(text.startsWith(word)).toBe(true)
    })
  }

  it('never runs what has side effects', async () => {
    for (const marked of [
      'wizard.danger.|',
      'later.value.|',
      'cast().|',
      'trap.|',
      'wizard.wave().|',
      '(touched = 1).|',
      'nobody.|',
      '1.|',
      '...|',
    ]) {
      await complete(marked)
    }
    expect(await js.value('typeof touched')).toBe("'undefined'")
  })

  it('hides what only the engine uses', async () => {
    expect((await complete('$|')).texts).toEqual([])
  })

  it('and inspection answer while code runs, and while it is stuck in a native call', async () => {
    const busy = js.run('console.log("go"); while (true);')
    await until(() => js.text().includes('go'), 'the loop')
    expect((await complete('wizard.wa|')).texts).toEqual(['wand', 'wave'])
    expect((await js.engine.inspect('cast', 4, 0, 'javascript'))?.['text/plain']).toContain('cast(spell, power = 1)')
    await js.engine.interrupt()
    await busy
    const native = js.run('console.log("native"); require("node:child_process").execSync("sleep 1.5")')
    await until(() => js.text().includes('native'), 'the native call')
    expect((await complete('consol|')).texts).toContain('console')
    await native
  })
})

describe('inspection', () => {
  it('knows the catalogue, functions and values', async () => {
    const text = async (code: string, detail: 0 | 1 = 0) =>
      (await js.engine.inspect(code, code.length, detail, 'javascript'))?.['text/plain']
    expect(await text('Test.echo')).toContain('Gives back what it gets.')
    expect(await text('Test.echoSync(')).toContain('Gives back what it gets.')
    expect(await text('display(')).toContain('display(')
    expect(await text('cast(1, ')).toContain('function cast(spell, power = 1)')
    expect(await text('old')).toBe('old: number = 1')
    expect(await text('wizard')).toMatch(/wand, wave, danger/)
    expect(await text('nobody')).toBeUndefined()
    expect(await text('wizard.danger')).toBeUndefined()
    expect(await text('')).toBeUndefined()
  })
})

describe('variables', () => {
  it('are those of cells', async () => {
    const found = await js.engine.variables()
    expect(found).toContainEqual({ name: 'old', type: 'number', preview: '1' })
    expect(found.map((one) => one.name).sort()).toEqual(['Spell', 'cast', 'old', 'path', 'trap', 'wizard'])
    expect(await js.value('typeof touched')).toBe("'undefined'")
  })
})
