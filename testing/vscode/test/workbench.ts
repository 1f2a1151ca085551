import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { toolPath, until } from '@llmspell/testkit'
import { type BrowserContext, chromium, type Locator, type Page } from 'playwright-core'

/** For anything that a loaded machine does: a load of the workbench, a start of a kernel. */
const WAIT = 120_000

/** How long a list may take to be filled before it is opened again. */
const PALETTE_MS = 5_000
/** One that asks a kernel first. */
const LIST_MS = 20_000

const CHROMIUM = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update']

const QUICK_INPUT = '.quick-input-widget:not([style*="display: none"])'

export interface Stopped {
  /** As the call stack names it: the base name of a file, `cell 1`. */
  file: string
  line: number
}

export interface Frame {
  name: string
  file: string
  line: number
}

/** VS Code's user interface, as a person uses it: keys, lists, panes. What is asked of it is waited for. */
export class Workbench {
  readonly page: Page
  readonly #context: BrowserContext
  readonly #pictures: string
  #shot = 0

  private constructor(context: BrowserContext, page: Page, pictures: string) {
    this.#context = context
    this.page = page
    this.#pictures = pictures
  }

  /** `profile` and `pictures` are folders; the latter gets the screenshots. */
  static async open(url: string, folder: string, profile: string, pictures: string): Promise<Workbench> {
    const executablePath = toolPath('chromium')
    if (!executablePath) throw new Error('chromium is not installed')
    mkdirSync(pictures, { recursive: true })
    const context = await chromium.launchPersistentContext(profile, {
      executablePath,
      headless: true,
      args: CHROMIUM,
      viewport: { width: 1360, height: 920 },
      permissions: ['clipboard-read', 'clipboard-write'],
    })
    const page = context.pages()[0] ?? (await context.newPage())
    page.setDefaultTimeout(WAIT)
    page.on('dialog', (dialog) => void dialog.accept().catch(() => {}))
    await page.goto(`${url}/?folder=${encodeURIComponent(folder)}`)
    await page.locator('.monaco-workbench .part.statusbar').waitFor()
    await page.locator('.explorer-folders-view .monaco-list-row').first().waitFor()
    return new Workbench(context, page, pictures)
  }

  async close(): Promise<void> {
    await this.#context.close()
  }

  async screenshot(name: string): Promise<string> {
    const path = join(this.#pictures, `${String(++this.#shot).padStart(2, '0')}-${name}.png`)
    await this.page.screenshot({ path, animations: 'disabled' })
    return path
  }

  async press(...keys: string[]): Promise<void> {
    for (const key of keys) await this.page.keyboard.press(key)
  }

  /** Runs a command by its whole title, as the command palette lists it. Asks again: those of an extension come late. */
  async command(title: string): Promise<void> {
    const row = this.page.locator(`${QUICK_INPUT} .monaco-list-row`).filter({ has: this.page.getByText(title, { exact: true }) })
    await this.see(`the command ${title}`, async () => {
      await this.#quickInput('F1', `>${title}`)
      try {
        await row.first().click({ timeout: PALETTE_MS })
        return true
      } catch {
        await this.press('Escape')
        return false
      }
    })
  }

  /** The rows of the list that VS Code asks to choose from now. */
  async choices(): Promise<string[]> {
    const rows = this.page.locator(`${QUICK_INPUT} .monaco-list-row`)
    await rows.first().waitFor()
    return rows.evaluateAll((all) => all.map((row) => row.querySelector('.label-name')?.textContent ?? ''))
  }

  /** Takes the row with that text. */
  choose(text: string): Promise<void> {
    return this.#choose(this.page.locator(`${QUICK_INPUT} .monaco-list-row`).filter({ hasText: text }))
  }

  /** Runs a command that asks, until it offers the row with that text, and takes that. A list may also close under the hand. */
  async chooseFrom(command: string, text: string): Promise<void> {
    const row = this.page.locator(`${QUICK_INPUT} .monaco-list-row`).filter({ hasText: text })
    await this.see(`${command} offers ${text}`, async () => {
      await this.command(command)
      try {
        await row.first().click({ timeout: LIST_MS })
        return true
      } catch {
        await this.press('Escape')
        return false
      }
    })
  }

  /** Types into the box that VS Code shows now. */
  async answer(text: string): Promise<void> {
    const box = this.page.locator(`${QUICK_INPUT} input.input`)
    await box.waitFor()
    await box.fill(text)
    await this.press('Enter')
  }

  async open(file: string): Promise<void> {
    await this.#quickInput('Control+p', file)
    await this.#choose(this.page.locator(`${QUICK_INPUT} .monaco-list-row`).filter({ hasText: file }))
    await this.page.locator(`.tab.active[data-resource-name="${file}"]`).waitFor()
    await this.page.locator('.editor-instance .view-line').first().waitFor()
  }

  async goTo(line: number): Promise<void> {
    await this.#quickInput('Control+g', `:${line}`)
    await this.press('Enter')
    await this.#gone(this.page.locator(QUICK_INPUT), 'the question for a line')
    await this.see(`the cursor is in line ${line}`, async () => (await this.cursorLine()) === line)
  }

  async cursorLine(): Promise<number> {
    const text = await this.page.locator('#status\\.editor\\.selection').textContent()
    return Number(/Ln (\d+)/.exec(text ?? '')?.[1])
  }

  /** F9 in a line; with a condition, typed into the widget for it. */
  async breakpoint(line: number, condition?: string): Promise<void> {
    await this.goTo(line)
    const glyphs = this.page.locator('.editor-instance [class*="codicon-debug-breakpoint"]')
    const before = await glyphs.count()
    if (condition === undefined) {
      await this.press('F9')
    } else {
      await this.command('Debug: Add Conditional Breakpoint...')
      const widget = this.page.locator('.breakpoint-widget')
      await widget.locator('.inputContainer .view-line').first().waitFor()
      await this.page.keyboard.insertText(condition)
      await this.see('the condition is in its box', async () =>
        ((await widget.locator('.inputContainer').textContent()) ?? '').replaceAll('\u00a0', ' ').includes(condition),
      )
      if (await this.page.locator('.suggest-widget.visible').count()) await this.press('Escape')
      await this.press('Enter')
      await this.#gone(widget, 'the box for a condition')
    }
    await this.see(`a breakpoint in line ${line}`, async () => (await glyphs.count()) > before)
  }

  /** Waits until a program stands still there, in the editor and in the pane of the call stack, which holds these frames. */
  async stopped(file: string, line: number, frames: readonly string[] = []): Promise<Stopped> {
    let seen: Frame[] = []
    await this.see(
      `a stop in ${file}:${line} ${frames}`,
      async () => {
        // With several sessions, each is a row that has to be opened.
        const closed = this.page.locator('.debug-call-stack .monaco-list-row[aria-expanded="false"] .monaco-tl-twistie')
        if (await closed.count()) await closed.first().click({ timeout: 1000 })
        seen = await this.frames()
        const marked = await this.page.locator('.debug-top-stack-frame-line').count()
        const top = seen.some((frame) => frame.file === file && frame.line === line)
        return marked > 0 && top && frames.every((name) => seen.some((frame) => frame.name === name))
      },
      () => `the call stack shows ${JSON.stringify(seen)}`,
    )
    return { file, line }
  }

  /** The rows of the call stack. */
  frames(): Promise<Frame[]> {
    return this.page.locator('.debug-call-stack .stack-frame').evaluateAll((all) =>
      all.map((frame) => ({
        name: frame.querySelector('.label')?.textContent?.trim() ?? '',
        file: frame.querySelector('.file-name')?.textContent?.trim() ?? '',
        line: Number(/^(\d+)/.exec(frame.querySelector('.line-number')?.textContent?.trim() ?? '')?.[1]),
      })),
    )
  }

  /** Names and values of the Variables pane. Waits until those that are expected are there; opens the first scope. */
  async variables(expected: Readonly<Record<string, string>>): Promise<Record<string, string>> {
    let seen: Record<string, string> = {}
    await this.see(
      `variables ${JSON.stringify(expected)}`,
      async () => {
        const scope = this.page.locator('.debug-variables .monaco-list-row').first()
        if ((await scope.count()) && (await scope.getAttribute('aria-expanded', { timeout: 1000 })) === 'false')
          await scope.locator('.monaco-tl-twistie').click({ timeout: 1000 })
        seen = await this.#variables()
        return Object.entries(expected).every(([name, value]) => seen[name] === value)
      },
      () => `the pane shows ${JSON.stringify(seen)}`,
    )
    return seen
  }

  /** Waits until the Debug Console holds the text. */
  async debugConsole(text: string): Promise<void> {
    let seen = ''
    await this.see(
      `the Debug Console shows ${text}`,
      async () => {
        seen = (await this.page.locator('.repl .monaco-list-row').allInnerTexts()).join('\n')
        return seen.includes(text)
      },
      () => seen,
    )
  }

  /** Types an expression into the Debug Console and waits for what it shows as its value. */
  async evaluate(expression: string, value: string): Promise<void> {
    await this.command('Debug Console: Focus on Debug Console View')
    await this.page.locator('.repl-input-wrapper .monaco-editor').click()
    await this.page.keyboard.insertText(expression)
    await this.press('Escape', 'Enter')
    await this.debugConsole(value)
  }

  /** The rows of debug sessions; there may be none when there is one session. */
  sessions(): Promise<string[]> {
    return this.page.locator('.debug-call-stack .session').allTextContents()
  }

  async notification(text: string): Promise<void> {
    await this.page.locator('.notification-toast, .notification-list-item').filter({ hasText: text }).first().waitFor()
  }

  /** The rows of a tree in the side bar, each as its label and description. */
  treeRows(pane: string): Promise<string[]> {
    return this.#pane(pane)
      .locator('.monaco-list-row')
      .evaluateAll((rows) => rows.map((row) => row.textContent ?? ''))
  }

  async paneText(pane: string): Promise<string> {
    return (await this.#pane(pane).first().textContent()) ?? ''
  }

  async terminalText(): Promise<string> {
    const rows = await this.page.locator('.terminal-wrapper.active .xterm-rows > div').allTextContents()
    return rows.join('\n').replaceAll('\u00a0', ' ')
  }

  async openNotebook(file: string): Promise<void> {
    await this.#quickInput('Control+p', file)
    await this.#choose(this.page.locator(`${QUICK_INPUT} .monaco-list-row`).filter({ hasText: file }))
    await this.page.locator('.notebook-editor .code-cell-row').first().waitFor()
  }

  async selectNotebookKernel(name: string): Promise<void> {
    await this.command('Notebook: Select Notebook Kernel')
    await this.choose(name)
  }

  async notebookText(): Promise<string> {
    const texts = await Promise.all(
      this.page.frames().map((frame) => frame.evaluate(() => document.querySelector('#container')?.textContent ?? '').catch(() => '')),
    )
    return texts.join('\n')
  }

  /** Puts the cursor into a cell. */
  async focusCell(index: number): Promise<void> {
    await this.page.locator('.notebook-editor .code-cell-row').nth(index).locator('.view-line').first().click()
  }

  async cellBreakpoint(index: number, line: number): Promise<void> {
    const cell = this.page.locator('.notebook-editor .code-cell-row').nth(index)
    await cell
      .locator('.view-line')
      .nth(line - 1)
      .click()
    await this.press('F9')
    await this.see(
      `a breakpoint in line ${line} of a cell`,
      async () => (await cell.locator('[class*="codicon-debug-breakpoint"]').count()) > 0,
    )
  }

  /** Waits until no session is left. */
  async ended(): Promise<void> {
    await this.see('no debug session is left', async () => !(await this.#debugging()))
  }

  /** Ends every session and removes every breakpoint: what a failed test may have left. */
  async settle(): Promise<void> {
    await this.press('Escape', 'Escape')
    await this.see('debugging ends when it is stopped', async () => {
      if (!(await this.#debugging())) return true
      await this.press('Shift+F5')
      await this.page.waitForTimeout(500)
      return false
    })
    await this.command('Remove All Breakpoints')
  }

  #debugging(): Promise<boolean> {
    return this.page.locator('.debug-toolbar').isVisible()
  }

  async #quickInput(key: string, text: string): Promise<void> {
    const box = this.page.locator(`${QUICK_INPUT} input.input`)
    await this.see(`the box that ${key} opens`, async () => {
      // One that is just closing is there still, and takes nothing.
      if (!(await box.isVisible())) await this.press(key)
      await box.fill(text, { timeout: 3000 })
      return (await box.inputValue({ timeout: 1000 })) === text
    })
  }

  #pane(name: string): Locator {
    return this.page.locator('.pane').filter({ has: this.page.locator(`.pane-header[aria-label^="${name}"]`) })
  }

  async #choose(rows: Locator): Promise<void> {
    await rows.first().waitFor()
    await rows.first().click()
  }

  async #gone(locator: Locator, what: string): Promise<void> {
    await this.see(`${what} closes`, async () => !(await locator.isVisible()))
  }

  async #variables(): Promise<Record<string, string>> {
    const rows = await this.page
      .locator('.debug-variables .monaco-list-row')
      .evaluateAll((all) => all.map((row) => [row.querySelector('.name')?.textContent, row.querySelector('.value')?.textContent] as const))
    return Object.fromEntries(
      rows.flatMap(([name, value]) => (name && value != null ? [[name.replace(/\s*[:=]\s*$/, '').trim(), value.trim()]] : [])),
    )
  }

  /** Waits for what a test wants to see; a failure comes with a picture. */
  async see(what: string, look: () => Promise<boolean>, seen: () => string = () => ''): Promise<void> {
    try {
      await until(what, look, WAIT)
    } catch (error) {
      await this.screenshot('failed').catch(() => {})
      throw new Error(`${(error as Error).message}\n${seen()}`, { cause: (error as Error).cause })
    }
  }
}
