import { expect, test } from 'vitest'
import { itemsOf } from '../../src/notebook/cell-outputs.ts'
import { notebookKernelId } from '../../src/notebook/kernel-id.ts'

test.each([
  ['text/plain', 'a\nb', 'a\nb'],
  ['text/plain', ['a\n', 'b'], 'a\nb'],
  ['image/png', Buffer.from('PNG').toString('base64'), 'PNG'],
  ['image/svg+xml', '<svg/>', '<svg/>'],
  ['application/json', { a: [1] }, '{"a":[1]}'],
])('%s', (mime, value, text) => {
  const [item] = itemsOf({ [mime]: value })
  expect(item?.mime).toBe(mime)
  expect(Buffer.from(item?.data ?? []).toString()).toBe(text)
})

test.each([
  ['/project/My notebook (2).ipynb', /^notebook-My-notebook-2-[0-9a-f]{6}$/],
  ['/project/분석.ipynb', /^notebook-[0-9a-f]{6}$/],
  [`/project/${'long'.repeat(50)}.ipynb`, /^[A-Za-z0-9-]{1,64}$/],
])('the kernel of %s has a name that can be one', (path, expected) => {
  expect(notebookKernelId(path)).toMatch(expected)
  expect(notebookKernelId(path)).toBe(notebookKernelId(path))
  expect(notebookKernelId(path)).not.toBe(notebookKernelId(`/other${path}`))
})
