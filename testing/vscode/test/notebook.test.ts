import { expect, test } from 'vitest'
import { describeWorkbench } from './workbench-suite.ts'

const MINUTES = 60_000

function notebook(...cells: string[]): string {
  const code = cells.map((source, at) => ({ cell_type: 'code', id: `c${at}`, execution_count: null, metadata: {}, outputs: [], source }))
  const kernelspec = { name: 'llmspell-lua', display_name: 'Lua 5.4 (llmspell)', language: 'lua' }
  return JSON.stringify({ cells: code, metadata: { kernelspec, language_info: { name: 'lua' } }, nbformat: 4, nbformat_minor: 5 })
}

const files = {
  'cells.ipynb': notebook(
    'local words = { "größe", "크기", "😀" }\nfunction double(n)\n  local twice = n * 2\n  return twice\nend\nprint(#words)',
    'local answer = double(21)\nprint("answer " .. answer)',
  ),
}

await describeWorkbench('A notebook in VS Code', files, (of) => {
  test('its cells run in a kernel of its own', { timeout: 5 * MINUTES }, async () => {
    const { wb, home } = of()
    await wb.openNotebook('cells.ipynb')
    await wb.selectNotebookKernel('llmspell')
    await wb.command('Notebook: Run All')
    await wb.see('outputs of both cells', async () => (await wb.notebookText()).includes('answer 42'))
    await wb.screenshot('ran')
    const listed = JSON.parse((await home.llmspell(['kernel', 'list', '--json'])).stdout) as { kernels: { id: string }[] }
    expect(listed.kernels.map(({ id }) => id)).toEqual([expect.stringMatching(/^notebook-cells-[0-9a-f]{6}$/)])
  })

  test('Debug Cell stops in the cell, and in a function of an earlier one', { timeout: 6 * MINUTES }, async () => {
    const { wb } = of()
    await wb.cellBreakpoint(0, 3)
    await wb.focusCell(1)
    await wb.command('llmspell: Debug Cell')
    await wb.stopped('cell 1', 3, ['double', 'main chunk'])
    await wb.variables({ n: '21' })
    await wb.screenshot('stopped')
    await wb.press('F5')
    await wb.ended()
    await wb.see('the cell came to its end', async () => (await wb.notebookText()).includes('answer 42'))
  })
})
