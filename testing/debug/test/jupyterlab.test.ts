import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { toolPath } from '@llmspell/testkit'
import { describeWith, homeWithKernelspecs, kernels } from '@llmspell/testkit/vitest'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Lab, NotebookPage, startLab } from './lab.ts'
import { describeInNewerDebian } from './newer-debian.ts'

const samples: Record<string, { cell: string; define: string; call: string; printed: string }> = {
  'llmspell-lua': {
    cell: '-- Grüße, 한국 🦊\nlocal a = 20\nlocal b = a + 1\nprint("sum " .. a + b)',
    define: 'function double(n)\n  local twice = n * 2\n  return twice\nend',
    call: 'print("twice " .. double(21))',
    printed: 'sum 41',
  },
  'llmspell-typescript': {
    cell: '// Grüße, 한국 🦊\nlet a: number = 20\nlet b: number = a + 1\nconsole.log("sum " + (a + b))',
    define: 'function double(n: number): number {\n  const twice = n * 2\n  return twice\n}',
    call: 'console.log("twice " + double(21))',
    printed: 'sum 41',
  },
  python3: {
    cell: '# Grüße, 한국 🦊\na = 20\nb = a + 1\nprint("sum", a + b)',
    define: 'def double(n):\n  twice = n * 2\n  return twice',
    call: 'print("twice", double(21))',
    printed: 'sum 41',
  },
}

/** JavaScript's cells go the way of TypeScript's. */
const shown = kernels.filter((kernel) => kernel in samples)

/** Pictures of what was seen. */
const pictures = process.env.LLMSPELL_TEST_PICTURES ?? fileURLToPath(new URL('../pictures', import.meta.url))

async function picture({ page }: NotebookPage, name: string): Promise<void> {
  await page.screenshot({ path: join(pictures, `${name}.png`), timeout: 20_000 }).catch((error: Error) => {
    console.warn(`no picture ${name}: ${error.message}`)
  })
}

describeWith(['chromium'], 'JupyterLab', () => {
  describeInNewerDebian('usr/bin/jupyter-lab', 'with its debugger panel', () => {
    const home = homeWithKernelspecs()
    let lab: Lab
    beforeAll(async () => {
      mkdirSync(pictures, { recursive: true })
      lab = await startLab(home(), String(toolPath('chromium')))
    })
    afterAll(() => lab?.stop())
    let open: NotebookPage[] = []
    afterEach(async (context) => {
      for (const [n, notebook] of open.entries()) {
        if (context.task.result?.state === 'fail') await picture(notebook, `failed-${n}`)
        await notebook.page.close()
      }
      open = []
      await lab.endKernels()
    })
    const opened = async (
      ...args: Parameters<typeof NotebookPage.open> extends [Lab, ...infer Rest] ? Rest : never
    ): Promise<NotebookPage> => {
      const notebook = await NotebookPage.open(lab, ...args)
      open.push(notebook)
      return notebook
    }

    describe.each(shown)('%s', (kernel) => {
      const sample = samples[kernel] ?? { cell: '', define: '', call: '', printed: '' }

      test('stops in a cell, shows its variables, steps and goes on; after a restart and after a reload, too', {
        timeout: 300_000,
      }, async () => {
        const notebook = await opened(`${kernel}.ipynb`, kernel, [sample.cell, sample.define, sample.call])
        await notebook.debug()
        await notebook.breakpoint(0, 3)
        await notebook.run(0)
        await notebook.stopped(3)
        await notebook.variable('a', '20')
        await notebook.command('debugger:next')
        await notebook.stopped(4)
        await notebook.variable('b', '21')
        await picture(notebook, kernel)
        await notebook.command('debugger:continue')
        await notebook.output(0, sample.printed)

        await notebook.restartKernel()
        expect(await notebook.breakpoints()).toHaveLength(1)
        await notebook.run(0)
        await notebook.stopped(3)

        await notebook.command('docmanager:save')
        await notebook.load()
        await notebook.stopped(3)
        await notebook.command('debugger:continue')
        await notebook.idleOr()
        await notebook.run(0)
        await notebook.stopped(3)
        await notebook.command('debugger:continue')
        await notebook.output(0, sample.printed)
      })

      test('stops in a function that was defined before the debugger was on', { timeout: 180_000 }, async () => {
        const notebook = await opened(`${kernel}-function.ipynb`, kernel, [sample.define, sample.call])
        await notebook.run(0)
        await notebook.idleOr()
        await notebook.debug()
        await notebook.breakpoint(0, 3)
        await notebook.run(1)
        await notebook.stopped(3)
        await notebook.variable('twice', '42')
        await notebook.command('debugger:continue')
        await notebook.output(1, 'twice 42')
      })
    })

    test('two notebooks of one kernelspec stop each for itself', { timeout: 180_000 }, async () => {
      const kernel = shown[0] ?? ''
      const { cell = '', printed = '' } = samples[kernel] ?? {}
      const books = [await opened('one.ipynb', kernel, [cell]), await opened('two.ipynb', kernel, [cell])]
      for (const notebook of books) {
        await notebook.page.bringToFront()
        await notebook.debug()
        await notebook.breakpoint(0, 3)
      }
      for (const notebook of books) {
        await notebook.page.bringToFront()
        await notebook.run(0)
        await notebook.stopped(3)
      }
      for (const notebook of books) {
        await notebook.page.bringToFront()
        await notebook.command('debugger:continue')
        await notebook.output(0, printed)
      }
    })
  })
})
