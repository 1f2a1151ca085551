import { dirname } from 'node:path'
import * as vscode from 'vscode'
import type { Llmspell } from '../command/llmspell.ts'
import type { AdapterProcess } from '../debugging/adapter-process.ts'
import type { KernelsView } from '../kernels/kernels-view.ts'
import { parseEvent } from '../run/exec-events.ts'
import { CellFilter, type Cells } from './cell-filter.ts'
import { notebookKernelId } from './kernel-id.ts'
import { OutputWriter } from './output-writer.ts'

const NOTEBOOK = 'jupyter-notebook'
const LANGUAGES = ['lua', 'javascript', 'typescript']
/** A kernel that the last window left ends by itself. */
const IDLE_TIMEOUT = '30m'
const START_MS = 90_000
/** Milliseconds after which typing in a cell is over. */
const SETTLE_MS = 400

interface CellDebugger {
  readonly adapter: AdapterProcess
  readonly filter: CellFilter
}

/** Runs cells in kernels of llmspell without a Jupyter extension, and debugs cells of notebooks that run in one, however they got there. */
export class Notebooks implements vscode.Disposable {
  readonly #llmspell: Llmspell
  readonly #view: KernelsView
  readonly #controller: vscode.NotebookController
  readonly #disposables: vscode.Disposable[] = []
  /** Notebooks that use our controller. */
  readonly #ours = new Set<string>()
  /** Cells of a notebook run one after the other. */
  readonly #queues = new Map<string, Promise<void>>()
  readonly #debuggers = new Map<string, CellDebugger>()
  readonly #edits = new Map<string, NodeJS.Timeout>()
  #order = 0

  constructor(llmspell: Llmspell, view: KernelsView) {
    this.#llmspell = llmspell
    this.#view = view
    this.#controller = vscode.notebooks.createNotebookController('llmspell', NOTEBOOK, 'llmspell')
    this.#controller.description = 'Lua, JavaScript and TypeScript'
    this.#controller.supportedLanguages = LANGUAGES
    this.#controller.supportsExecutionOrder = true
    this.#controller.executeHandler = (cells, notebook) => this.#execute(cells, notebook)
    this.#controller.interruptHandler = (notebook) => this.#interrupt(notebook)
    this.#disposables.push(
      this.#controller,
      this.#controller.onDidChangeSelectedNotebooks(({ notebook, selected }) => {
        if (selected) this.#ours.add(notebook.uri.toString())
        else this.#ours.delete(notebook.uri.toString())
        void this.#tellWhetherOurs()
      }),
      vscode.window.onDidChangeActiveNotebookEditor(() => void this.#tellWhetherOurs()),
      vscode.workspace.onDidOpenNotebookDocument((notebook) => this.#prefer(notebook)),
      vscode.workspace.onDidCloseNotebookDocument(({ uri }) => this.#ours.delete(uri.toString())),
      vscode.workspace.onDidChangeTextDocument(({ document }) => this.#edited(document)),
      vscode.debug.onDidTerminateDebugSession(({ id }) => this.#debuggers.delete(id)),
    )
    for (const notebook of vscode.workspace.notebookDocuments) this.#prefer(notebook)
    void this.#tellWhetherOurs()
  }

  dispose(): void {
    for (const timer of this.#edits.values()) clearTimeout(timer)
    for (const item of this.#disposables) item.dispose()
  }

  /** For a session that attaches to a kernel: lets it see cells. */
  readonly filterOf = (session: vscode.DebugSession, adapter: () => AdapterProcess): CellFilter | undefined => {
    if (session.configuration.request !== 'attach') return undefined
    const filter = new CellFilter(openCells, (event) => adapter().emit(event))
    this.#debuggers.set(session.id, {
      get adapter() {
        return adapter()
      },
      filter,
    })
    return filter
  }

  /** The command "Debug Cell": a debugger for as long as the cell runs. */
  readonly debugCell = async (given?: vscode.NotebookCell): Promise<void> => {
    const cell = given ?? selectedCell()
    if (!cell) {
      void vscode.window.showErrorMessage('llmspell: select a cell of a notebook.')
      return
    }
    const { notebook } = cell
    const kernel = await this.#kernelOf(notebook)
    if (kernel === undefined) return
    const mark = `${Date.now()}.${Math.random()}`
    let session: vscode.DebugSession | undefined
    const starts = vscode.debug.onDidStartDebugSession((each) => {
      if (each.configuration['__cell'] === mark) session = each
    })
    try {
      const started = await vscode.debug.startDebugging(vscode.workspace.getWorkspaceFolder(notebook.uri), {
        type: 'llmspell',
        request: 'attach',
        name: vscode.workspace.asRelativePath(notebook.uri),
        kernel,
        onDisconnect: 'continue',
        __cell: mark,
      })
      if (!started) return
      const range = { start: cell.index, end: cell.index + 1 }
      await vscode.commands.executeCommand('notebook.cell.execute', { ranges: [range], document: notebook.uri })
      await this.#queues.get(notebook.uri.toString())
    } finally {
      starts.dispose()
      if (session) await vscode.debug.stopDebugging(session)
    }
  }

  /** VS Code offers the kernel that a notebook names; ours stands first where that is one of our kernelspecs. */
  #prefer(notebook: vscode.NotebookDocument): void {
    if (notebook.notebookType !== NOTEBOOK || !isOurs(kernelspecOf(notebook))) return
    this.#controller.updateNotebookAffinity(notebook, vscode.NotebookControllerAffinity.Preferred)
  }

  async #tellWhetherOurs(): Promise<void> {
    const notebook = vscode.window.activeNotebookEditor?.notebook
    const ours = notebook !== undefined && (this.#ours.has(notebook.uri.toString()) || isOurs(kernelspecOf(notebook)))
    await vscode.commands.executeCommand('setContext', 'llmspell.notebook', ours)
  }

  /** The kernel that runs the notebook; asks where that cannot be known. */
  async #kernelOf(notebook: vscode.NotebookDocument): Promise<string | undefined> {
    if (this.#ours.has(notebook.uri.toString())) return this.#ownKernel(notebook)
    const language = kernelspecOf(notebook)?.replace('llmspell-', '')
    const kernels = (await this.#view.kernels()).filter((kernel) => kernel.startedBy === 'jupyter' && kernel.language === language)
    if (kernels.length === 1) return kernels[0]?.id
    if (kernels.length === 0) {
      void vscode.window.showErrorMessage(
        'llmspell: no kernel that Jupyter started runs this notebook. Run a cell first, or select the kernel "llmspell".',
      )
      return undefined
    }
    const items = kernels.map(({ id, pid, startedAt }) => ({
      label: id,
      description: `process ${pid}, since ${new Date(startedAt).toLocaleTimeString()}`,
    }))
    return (await vscode.window.showQuickPick(items, { title: 'Which kernel runs this notebook?' }))?.label
  }

  /** Started when it is not there. */
  async #ownKernel(notebook: vscode.NotebookDocument): Promise<string> {
    const id = notebookKernelId(notebook.uri.fsPath)
    if ((await this.#view.kernels()).some((kernel) => kernel.id === id)) return id
    const language = LANGUAGES.find((each) => kernelspecOf(notebook) === `llmspell-${each}`) ?? 'lua'
    const args = ['kernel', 'start', '--daemon', '--id', id, '--lang', language, '--idle-timeout', IDLE_TIMEOUT]
    await this.#llmspell.ask(args, { timeoutMs: START_MS, cwd: dirname(notebook.uri.fsPath) })
    return id
  }

  #execute(cells: readonly vscode.NotebookCell[], notebook: vscode.NotebookDocument): Promise<void> {
    const key = notebook.uri.toString()
    const executions = cells.map((cell) => this.#controller.createNotebookCellExecution(cell))
    const before = this.#queues.get(key) ?? Promise.resolve()
    const all = before.then(async () => {
      let failed = false
      for (const execution of executions) {
        if (failed || execution.token.isCancellationRequested) {
          execution.start()
          execution.end(undefined)
          // A cell that was deleted while it waited cannot be written to; those behind it must not wait for ever.
        } else failed = !(await this.#executeCell(execution, notebook).catch(() => false))
      }
    })
    this.#queues.set(key, all)
    return all
  }

  async #interrupt(notebook: vscode.NotebookDocument): Promise<void> {
    await this.#llmspell.ask(['kernel', 'interrupt', notebookKernelId(notebook.uri.fsPath)])
  }

  async #executeCell(execution: vscode.NotebookCellExecution, notebook: vscode.NotebookDocument): Promise<boolean> {
    const { cell } = execution
    const outputs = new OutputWriter(execution)
    execution.start(Date.now())
    await execution.clearOutput()
    const abort = new AbortController()
    execution.token.onCancellationRequested(() => abort.abort())
    let problem: unknown
    let work: Promise<void> = Promise.resolve()
    let exitCode = 1
    try {
      const kernel = await this.#ownKernel(notebook)
      await this.#refresh(cell.document.uri.toString())
      const args = ['exec', '-', '--connect', kernel, '--lang', cell.document.languageId, '--json']
      const result = await this.#llmspell.run(args, {
        input: cell.document.getText(),
        cwd: dirname(notebook.uri.fsPath),
        signal: abort.signal,
        onLine(line) {
          try {
            const event = parseEvent(line)
            if (event) work = work.then(() => outputs.add(event))
          } catch (error) {
            problem ??= error
          }
        },
      })
      exitCode = result.exitCode
      await work
    } catch (error) {
      problem = error
    }
    if (problem !== undefined) await outputs.fail(problem)
    const success = problem === undefined && exitCode === 0
    execution.executionOrder = outputs.count ?? ++this.#order
    this.#order = execution.executionOrder
    execution.end(success, Date.now())
    return success
  }

  #edited(document: vscode.TextDocument): void {
    if (document.uri.scheme !== 'vscode-notebook-cell' || this.#debuggers.size === 0) return
    const uri = document.uri.toString()
    clearTimeout(this.#edits.get(uri))
    this.#edits.set(
      uri,
      setTimeout(() => void this.#refresh(uri), SETTLE_MS),
    )
  }

  async #refresh(uri: string): Promise<void> {
    clearTimeout(this.#edits.get(uri))
    this.#edits.delete(uri)
    for (const { adapter, filter } of this.#debuggers.values()) {
      // A session that ends meanwhile has no breakpoints to care for.
      await filter.refresh(uri, adapter.ask).catch(() => {})
    }
  }
}

const openCells: Cells = {
  all() {
    const cells = vscode.workspace.notebookDocuments
      .filter(({ notebookType }) => notebookType === NOTEBOOK)
      .flatMap((each) => each.getCells())
    return cells.filter(({ document }) => LANGUAGES.includes(document.languageId)).map(({ document }) => document.uri.toString())
  },
  code(uri) {
    return cellOf(uri)?.document.getText()
  },
  name(uri) {
    const cell = cellOf(uri)
    return cell ? `cell ${cell.index + 1}` : 'a cell that is gone'
  },
}

function cellOf(text: string): vscode.NotebookCell | undefined {
  const uri = vscode.Uri.parse(text).toString()
  for (const notebook of vscode.workspace.notebookDocuments)
    for (const cell of notebook.getCells()) if (cell.document.uri.toString() === uri) return cell
  return undefined
}

function selectedCell(): vscode.NotebookCell | undefined {
  const editor = vscode.window.activeNotebookEditor
  const cell = editor && editor.selection.start < editor.notebook.cellCount ? editor.notebook.cellAt(editor.selection.start) : undefined
  return cell?.kind === vscode.NotebookCellKind.Code ? cell : undefined
}

/** As the file says it; the serializer keeps the file's metadata in a field of that name. */
function kernelspecOf({ metadata }: vscode.NotebookDocument): string | undefined {
  const { kernelspec } = (metadata['metadata'] ?? {}) as { kernelspec?: { name?: unknown } }
  return typeof kernelspec?.name === 'string' ? kernelspec.name : undefined
}

function isOurs(kernelspec: string | undefined): boolean {
  return kernelspec !== undefined && LANGUAGES.some((language) => kernelspec === `llmspell-${language}`)
}
