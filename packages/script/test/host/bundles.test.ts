import { describe, expect, it } from 'vitest'
import { bundleOf, isBundle, normalizeBundle } from '../../src/host/bundles.ts'

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAIAAAADCAYAAAC56t6BAAAAFUlEQVR4nGP4z8DwHwyBLCCLAcYAAH3aB/nv1k1GAAAAAElFTkSuQmCC'

describe('bundles', () => {
  it('knows a bundle by its keys', () => {
    expect(isBundle({ 'text/plain': 'x', 'application/vnd.vegalite.v5+json': {} })).toBe(true)
    for (const value of [{}, [], null, 'text/plain', { 'text/plain': 'x', other: 1 }, { 'a/b c': 1 }]) expect(isBundle(value)).toBe(false)
  })

  it('turns bytes to base64 and adds a text', () => {
    expect(normalizeBundle({ 'image/png': new Uint8Array([1, 2, 3]) })).toEqual({ 'image/png': 'AQID', 'text/plain': '<image/png>' })
  })

  it('gives clients that draw nothing the text itself', () => {
    expect(normalizeBundle({ 'text/markdown': '**bold**' })['text/plain']).toBe('**bold**')
    expect(normalizeBundle({ 'text/html': '<b>bold</b>' })['text/plain']).toBe('bold')
    expect(normalizeBundle({ 'text/html': '<b>bold</b>', 'text/plain': 'mine' })['text/plain']).toBe('mine')
  })

  it('shows rows of objects with the union of their columns', () => {
    const bundle = bundleOf('table', [
      { name: 'a<b', n: 1 },
      { name: 'c|d', more: true },
    ])
    expect(bundle['text/plain']).toBe('name  n  more\n----  -  ----\na<b   1\nc|d      true')
    expect(bundle['text/html']).toContain('<td>a&lt;b</td>')
    expect(bundle['text/markdown']).toBe('| name | n | more |\n| --- | --- | --- |\n| a<b | 1 |  |\n| c\\|d |  | true |')
  })

  it('shows rows of lists and of values without a header', () => {
    expect(bundleOf('table', [[1, 2], [3]])['text/plain']).toBe('1  2\n3')
    expect(bundleOf('table', ['a'])['text/html']).toBe('<table><tbody><tr><td>a</td></tr></tbody></table>')
    expect(bundleOf('table', {})['text/plain']).toBe('')
  })

  it('takes PNG bytes or base64 and refuses anything else', () => {
    expect(bundleOf('png', PNG)).toEqual({ 'image/png': PNG, 'text/plain': '<PNG picture, 2x3>' })
    expect(bundleOf('png', Buffer.from(PNG, 'base64'))['image/png']).toBe(PNG)
    expect(() => bundleOf('png', 'AAAA')).toThrow('not a PNG file')
    expect(() => bundleOf('png', 7)).toThrow('takes the bytes')
  })

  it('names the Vega-Lite version of the specification', () => {
    expect(bundleOf('vega', { mark: 'bar' })).toHaveProperty(['application/vnd.vegalite.v5+json'])
    const spec = { $schema: 'https://vega.github.io/schema/vega-lite/v6.json' }
    expect(bundleOf('vega', spec)).toHaveProperty(['application/vnd.vegalite.v6+json'])
  })

  it('gives every kind a text', () => {
    expect(bundleOf('html', '<p>a &amp; <b>b</b></p><script>x()</script>')['text/plain']).toBe('a & b')
    expect(bundleOf('json', { a: [1] })['text/plain']).toBe('{\n  "a": [\n    1\n  ]\n}')
    for (const kind of ['markdown', 'latex'] as const) expect(bundleOf(kind, 'x')['text/plain']).toBe('x')
    for (const kind of ['svg', 'javascript'] as const) expect(bundleOf(kind, 'x')['text/plain']).toMatch(/^</)
    expect(() => bundleOf('html', 7)).toThrow('Display.html takes a string')
  })
})
