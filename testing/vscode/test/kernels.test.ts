import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeWorkbench } from './workbench-suite.ts'

const MINUTES = 60_000

const LOOP = `const until = Date.now() + 600_000
let turns: number = 0
while (Date.now() < until) {
  turns++
  await new Promise((resolve) => setTimeout(resolve, 20))
}
`

await describeWorkbench(
  'Kernels in VS Code',
  { 'loop.ts': LOOP, 'hello.lua': 'greeting = "from lua"\nprint("hello " .. greeting)\n' },
  (of) => {
    test('the tree shows kernels as they come and go, and what they run', { timeout: 6 * MINUTES }, async () => {
      const { wb, home } = of()
      await wb.command('Run and Debug: Focus on Kernels View')
      await wb.see('an empty tree says so', async () => (await wb.paneText('Kernels')).includes('No kernel is running'))
      const started = await home.llmspell(['kernel', 'start', '--daemon', '--id', 'worker'])
      expect(started.code, started.stderr).toBe(0)
      await wb.see('a kernel started elsewhere appears', async () => (await wb.treeRows('Kernels')).some((row) => row.startsWith('worker')))
      const run = home.llmspell(['run', '--connect', 'worker', join(of().workspace, 'loop.ts')], { timeout: 5 * MINUTES })
      await wb.see('its run appears', async () => (await wb.treeRows('Kernels')).some((row) => row.startsWith('loop.ts')))
      await wb.screenshot('tree')
      await wb.command('llmspell: Interrupt Kernel')
      const { code } = await run
      expect(code).not.toBe(0)
      await wb.see('the run is gone', async () => !(await wb.treeRows('Kernels')).some((row) => row.startsWith('loop.ts')))
      await wb.command('llmspell: Stop Kernel')
      await wb.see('the kernel is gone', async () => (await wb.paneText('Kernels')).includes('No kernel is running'))
      expect(existsSync(join(String(home.env.LLMSPELL_HOME), 'run', 'kernels', 'worker.json'))).toBe(false)
    })

    test('a kernel is started by its name', { timeout: 4 * MINUTES }, async () => {
      const { wb, home } = of()
      await wb.command('llmspell: Start Kernel')
      await wb.answer('mine')
      await wb.see('it appears', async () => (await wb.treeRows('Kernels')).some((row) => row.startsWith('mine')))
      const listed = await home.llmspell(['kernel', 'list', '--json'])
      expect(JSON.parse(listed.stdout)).toMatchObject({ kernels: [{ id: 'mine', startedBy: 'daemon' }] })
    })

    test('a file runs in a terminal, a selection in the shared namespace', { timeout: 4 * MINUTES }, async () => {
      const { wb } = of()
      await wb.open('hello.lua')
      await wb.command('llmspell: Run File in llmspell Kernel')
      await wb.see('its output stands in the terminal', async () => (await wb.terminalText()).includes('hello from lua'))
      await wb.screenshot('run-file')
      await wb.goTo(1)
      await wb.press('Control+a')
      await wb.command('llmspell: Run Selection in llmspell Kernel')
      const { home } = of()
      await wb.see('what the selection defined is there', async () =>
        (await home.llmspell(['exec', 'return greeting'])).stdout.includes('from lua'),
      )
    })
  },
)
