import { describe, expect, test } from 'vitest'
import { type Kernel, kernelRow, parseKernelList, type Run, runRow } from '../../src/kernels/kernel-list.ts'

const now = Date.parse('2030-01-01T12:00:00Z')
const run: Run = { msg_id: 'm1', source: '/project/a b.lua', language: 'lua', state: 'running', started_at: '2030-01-01T11:59:48Z' }
const kernel: Kernel = {
  id: 'default',
  state: 'busy',
  pid: 42,
  language: 'lua',
  startedBy: 'auto',
  startedAt: '2030-01-01T11:00:00Z',
  version: '0.1.0',
  connectionFile: '/run/default.json',
  rssBytes: 71_400_000,
  clients: 1,
  executions: [run],
}

describe('the list of kernels', () => {
  test('the default one stands first, dead ones are left out', () => {
    const list = ['zeta', 'default', 'alpha'].map((id) => ({ ...kernel, id }))
    const answer = { kernels: [...list, { ...kernel, id: 'gone', state: 'dead' }] }
    expect(parseKernelList(answer).map(({ id }) => id)).toEqual(['default', 'alpha', 'zeta'])
  })

  test.each([null, {}, { kernels: 'none' }, []])('an answer of %j is an error, not an empty list', (answer) => {
    expect(() => parseKernelList(answer)).toThrow(expect.objectContaining({ code: 'vscode.unknown_answer' }))
  })
})

describe('rows of the tree', () => {
  test('a kernel tells its state and memory, and who started it', () => {
    const row = kernelRow(kernel, now)
    expect(row).toMatchObject({ label: 'default', description: 'busy, 71 MB', icon: 'vm-running', contextValue: 'kernel' })
    expect(row.tooltip.join('\n')).toContain('started by a command 60 min ago')
    expect(row.tooltip.join('\n')).toContain('1 client')
  })

  test('several runs are counted', () => {
    expect(kernelRow({ ...kernel, executions: [run, { ...run, msg_id: 'm2' }] }, now).description).toBe('2 running, 71 MB')
  })

  test('a kernel that does not answer has no numbers and a warning', () => {
    const { rssBytes: _, clients: __, executions: ___, ...rest } = kernel
    expect(kernelRow({ ...rest, state: 'unresponsive' }, now)).toMatchObject({ description: 'unresponsive', icon: 'warning' })
  })

  test('a script is called by its name, a cell as the kernel calls it', () => {
    expect(runRow(run, now)).toMatchObject({ label: 'a b.lua', description: '12 s', contextValue: 'run' })
    expect(runRow({ ...run, source: 'cell [3]', state: 'queued' }, now)).toMatchObject({ label: 'cell [3]', description: 'waits' })
  })

  test('names are no Markdown', () => {
    expect(kernelRow({ ...kernel, id: 'a_b_c' }, now).tooltip[0]).toContain('a\\_b\\_c')
  })
})
