import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { withTimeout } from '@llmspell/base'
import { type Home, until } from '@llmspell/testkit'
import { type BrowserContext, chromium, type Locator, type Page } from 'playwright-core'
import { inNewerDebian, newerDebian } from './newer-debian.ts'

const START = 60_000
/** A page of JupyterLab is slow on a busy machine. */
const SEEN = 30_000

/** JupyterLab of the newer Debian with Debian's Chromium in front of it. */
export interface Lab {
  url: string
  context: BrowserContext
  files: string
  /** Closing a notebook leaves its kernel running. */
  endKernels(): Promise<void>
  stop(): Promise<void>
}

export async function startLab(home: Home, browser: string): Promise<Lab> {
  const files = join(home.dir, 'notebooks')
  mkdirSync(files, { recursive: true })
  const settings = join(String(home.env.JUPYTER_CONFIG_DIR), 'lab', 'user-settings', '@jupyterlab', 'apputils-extension')
  mkdirSync(settings, { recursive: true })
  writeFileSync(join(settings, 'notification.jupyterlab-settings'), '{"fetchNews": "false", "checkForUpdates": false}')
  const port = await freePort()
  const [program = '', ...args] = inNewerDebian('jupyter-lab', '--no-browser', '--allow-root', '--ip=127.0.0.1', `--port=${port}`)
  const server = spawn(
    program,
    [
      ...args,
      '--ServerApp.token=',
      '--ServerApp.password=',
      '--ServerApp.disable_check_xsrf=True',
      '--LabApp.expose_app_in_browser=True',
      `--ServerApp.root_dir=${files}`,
    ],
    { cwd: home.dir, env: { ...home.env, ...newerDebian }, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let log = ''
  for (const stream of [server.stdout, server.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (log += text))
  const url = `http://127.0.0.1:${port}/`
  try {
    await until('JupyterLab answers', async () => (await fetch(`${url}api`)).ok, START)
    const context = await chromium.launchPersistentContext(join(home.dir, 'chromium'), {
      executablePath: browser,
      headless: true,
      viewport: { width: 1500, height: 950 },
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    })
    context.setDefaultTimeout(SEEN)
    return {
      url,
      files,
      context,
      async endKernels() {
        const kernels = (await (await fetch(`${url}api/kernels`)).json()) as { id: string }[]
        await Promise.all(kernels.map(({ id }) => fetch(`${url}api/kernels/${id}`, { method: 'DELETE' })))
      },
      async stop() {
        await context.close()
        await end(server)
      },
    }
  } catch (error) {
    await end(server)
    throw new Error(`${(error as Error).message}\n${log.slice(-3000)}`, { cause: error })
  }
}

/** A notebook in a page of its own. */
export class NotebookPage {
  readonly page: Page
  readonly #lab: Lab
  readonly #path: string

  private constructor(lab: Lab, page: Page, path: string) {
    this.#lab = lab
    this.page = page
    this.#path = path
  }

  static async open(lab: Lab, name: string, kernel: string, cells: readonly string[]): Promise<NotebookPage> {
    const specs = (await (await fetch(`${lab.url}api/kernelspecs`)).json()) as Specs
    const spec = specs.kernelspecs[kernel]?.spec
    if (!spec) throw new Error(`JupyterLab has no kernel ${kernel}, only ${Object.keys(specs.kernelspecs).join(' ')}`)
    const content = {
      nbformat: 4,
      nbformat_minor: 5,
      metadata: { kernelspec: { name: kernel, display_name: spec.display_name, language: spec.language } },
      cells: cells.map((source, n) => ({ cell_type: 'code', execution_count: null, id: `cell${n}`, metadata: {}, outputs: [], source })),
    }
    writeFileSync(join(lab.files, name), JSON.stringify(content))
    const page = await lab.context.newPage()
    const notebook = new NotebookPage(lab, page, name)
    await notebook.load()
    return notebook
  }

  async load(): Promise<void> {
    await this.page.goto(`${this.#lab.url}lab/workspaces/${this.#path.replace('.ipynb', '')}/tree/${this.#path}`)
    await this.cell(0).waitFor({ timeout: START })
    await this.idleOr('busy')
  }

  /** Until the kernel is known to be idle, or at least to live. */
  async idleOr(other = 'idle'): Promise<void> {
    await until(
      'the kernel is there',
      async () => {
        const status = await this.page.evaluate(KERNEL_STATUS)
        return status === 'idle' || status === other
      },
      SEEN,
    )
  }

  cell(index: number): Locator {
    return this.page.locator('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook .jp-CodeCell').nth(index)
  }

  command(id: string): Promise<unknown> {
    return this.page.evaluate(`window.jupyterapp.commands.execute(${JSON.stringify(id)}); 0`)
  }

  async run(index: number): Promise<void> {
    await this.cell(index).locator('.cm-content').click()
    await this.page.keyboard.press('Control+Enter')
  }

  async output(index: number, text: string): Promise<void> {
    const area = this.cell(index).locator('.jp-OutputArea')
    await shows(
      `cell ${index} shows ${text}`,
      async () => ((await area.count()) > 0 ? area.textContent() : ''),
      (seen) => seen.includes(text),
    )
  }

  /** Presses the button with the bug. */
  async debug(): Promise<void> {
    const button = this.page.locator('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-DebuggerBugButton')
    await until(
      'the bug button can be pressed',
      async () => (await button.isEnabled()) && (await button.getAttribute('aria-disabled')) !== 'true',
      SEEN,
    )
    await button.click()
    await until('the debugger is on', async () => (await button.getAttribute('aria-pressed')) === 'true', SEEN)
  }

  /** Clicks into the gutter. */
  async breakpoint(index: number, line: number): Promise<void> {
    const gutter = this.cell(index).locator('.cm-breakpoint-gutter')
    await gutter.waitFor()
    const number = this.cell(index)
      .locator('.cm-lineNumbers .cm-gutterElement')
      .filter({ hasText: new RegExp(`^${line}$`) })
    // the debugger shows line numbers a little later
    await number.first().waitFor()
    const before = (await this.breakpoints()).length
    const row = await number.first().boundingBox()
    const column = await gutter.boundingBox()
    if (!row || !column) throw new Error('the gutter is not to be seen')
    await this.page.mouse.click(column.x + column.width / 2, row.y + row.height / 2)
    await until('the breakpoint is listed', async () => (await this.breakpoints()).length === before + 1, SEEN)
  }

  /** What the panel lists, by line. */
  async breakpoints(): Promise<string[]> {
    return this.page.locator('.jp-DebuggerBreakpoint').allTextContents()
  }

  /** Waits until the top frame of the call stack stands at this line. */
  async stopped(line: number): Promise<void> {
    const frames = this.page.locator('.jp-DebuggerCallstackFrame')
    await shows(
      `the call stack stands at line ${line}`,
      async () => (await frames.allTextContents())[0],
      (top) => new RegExp(`(^|\\D)${line}$`).test(top.trim()),
    )
  }

  async variable(name: string, value: string): Promise<void> {
    const panel = this.page.locator('.jp-DebuggerVariables')
    await shows(
      `the panel shows ${name} ${value}`,
      () => panel.textContent(),
      (seen) => new RegExp(`${name}:?\\s*${value}`).test(seen),
    )
  }

  async restartKernel(): Promise<void> {
    await this.command('notebook:restart-kernel')
    const accept = this.page.locator('.jp-Dialog .jp-mod-accept')
    await accept.waitFor()
    await accept.click()
    await this.page.locator('.jp-Dialog').waitFor({ state: 'detached' })
    await this.idleOr()
  }
}

interface Specs {
  kernelspecs: Record<string, { spec: { display_name: string; language: string } }>
}

const KERNEL_STATUS = 'window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status'

async function shows(what: string, look: () => Promise<string | null | undefined>, right: (seen: string) => boolean): Promise<void> {
  let seen = ''
  await until(
    what,
    async () => {
      seen = (await look()) ?? ''
      return right(seen)
    },
    SEEN,
  ).catch((error: Error) => {
    throw new Error(`${error.message}; there is ${JSON.stringify(seen)}`, { cause: error })
  })
}

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  const exited = new Promise<void>((resolve) => void server.once('exit', () => resolve()))
  server.kill('SIGTERM')
  await withTimeout(exited, 15_000, 'JupyterLab to end').catch(async () => {
    server.kill('SIGKILL')
    await exited
  })
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
      .on('error', reject)
      .listen(0, '127.0.0.1', () => {
        const address = server.address()
        server.close(() => (address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port'))))
      })
  })
}
