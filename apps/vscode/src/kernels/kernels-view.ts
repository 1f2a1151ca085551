import { codeOf, messageOf } from '@llmspell/base'
import * as vscode from 'vscode'
import type { Llmspell } from '../command/llmspell.ts'
import { isFile, type Kernel, kernelRow, parseKernelList, type Row, type Run, runRow } from './kernel-list.ts'
import { KernelWatch } from './kernel-watch.ts'

export type Node = { readonly kernel: Kernel; readonly run?: Run }

/** Milliseconds between two looks while the view is open: states and runs change without a file doing so. */
const LOOK_MS = 5_000

/** The tree of running kernels and what they run, and the small count in the status bar. */
export class KernelsView implements vscode.TreeDataProvider<Node>, vscode.Disposable {
  readonly #llmspell: Llmspell
  readonly #log: vscode.LogOutputChannel
  readonly #changed = new vscode.EventEmitter<undefined>()
  readonly #view: vscode.TreeView<Node>
  readonly #status: vscode.StatusBarItem
  readonly #watch: KernelWatch
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  #lookAgain = false
  #kernels: readonly Kernel[] = []
  #problem: string | undefined

  readonly onDidChangeTreeData: vscode.Event<undefined> = this.#changed.event

  constructor(llmspell: Llmspell, log: vscode.LogOutputChannel, kernelsDirectory: string) {
    this.#llmspell = llmspell
    this.#log = log
    this.#view = vscode.window.createTreeView('llmspell.kernels', { treeDataProvider: this })
    this.#status = vscode.window.createStatusBarItem('llmspell.kernels', vscode.StatusBarAlignment.Right)
    this.#status.name = 'llmspell Kernels'
    this.#status.command = 'llmspell.kernels.focus'
    this.#watch = new KernelWatch(kernelsDirectory, () => void this.refresh())
    this.#view.onDidChangeVisibility(({ visible }) => (visible ? this.#open() : this.#close()))
    if (this.#view.visible) this.#open()
    else void this.refresh()
  }

  dispose(): void {
    this.#close()
    this.#watch.dispose()
    this.#status.dispose()
    this.#view.dispose()
    this.#changed.dispose()
  }

  /** The kernels as they are now. */
  async kernels(): Promise<readonly Kernel[]> {
    await this.refresh()
    return this.#kernels
  }

  /** One look at a time; who asks during one gets the next. */
  async refresh(): Promise<void> {
    if (this.#looking) {
      this.#lookAgain = true
      return this.#looking
    }
    this.#looking = (async () => {
      do {
        this.#lookAgain = false
        await this.#look()
      } while (this.#lookAgain)
    })()
    try {
      await this.#looking
    } finally {
      this.#looking = undefined
    }
  }

  getTreeItem({ kernel, run }: Node): vscode.TreeItem {
    const row = run ? runRow(run, Date.now()) : kernelRow(kernel, Date.now())
    const item = new vscode.TreeItem(row.label, collapsible(kernel, run))
    // VS Code remembers by the id whether a row is open: that of a kernel without runs, which cannot be, is another one.
    item.id = run ? `${kernel.id} ${run.msg_id}` : `${kernel.id} ${kernel.pid} ${item.collapsibleState}`
    item.description = row.description
    item.tooltip = new vscode.MarkdownString(row.tooltip.join('  \n'))
    item.iconPath = new vscode.ThemeIcon(row.icon, iconColor(row))
    item.contextValue = row.contextValue
    if (run && isFile(run.source))
      item.command = { command: 'vscode.open', title: 'Open the Script', arguments: [vscode.Uri.file(run.source)] }
    return item
  }

  getChildren(node?: Node): Node[] {
    if (!node) return this.#kernels.map((kernel) => ({ kernel }))
    return node.run ? [] : (node.kernel.executions ?? []).map((run) => ({ kernel: node.kernel, run }))
  }

  #open(): void {
    void this.refresh()
    this.#timer ??= setInterval(() => void this.refresh(), LOOK_MS)
  }

  #close(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  async #look(): Promise<void> {
    let problem: string | undefined
    let missing = false
    try {
      this.#kernels = parseKernelList(await this.#llmspell.ask(['kernel', 'list']))
    } catch (error) {
      this.#kernels = []
      missing = codeOf(error) === 'vscode.command_missing'
      problem = messageOf(error)
    }
    if (problem !== undefined && problem !== this.#problem) this.#log.warn(`kernels cannot be listed: ${problem}`)
    this.#problem = problem
    if (missing || problem === undefined) delete this.#view.message
    else this.#view.message = problem
    await vscode.commands.executeCommand('setContext', 'llmspell.commandMissing', missing)
    this.#showCount()
    this.#changed.fire(undefined)
  }

  #showCount(): void {
    const count = this.#kernels.length
    if (count === 0) {
      this.#status.hide()
      return
    }
    const busy = this.#kernels.some(({ state }) => state === 'busy')
    this.#status.text = `$(${busy ? 'vm-running' : 'vm'}) ${count}`
    this.#status.tooltip = `llmspell: ${count} ${count === 1 ? 'kernel' : 'kernels'}${busy ? ', working' : ''}`
    this.#status.show()
  }
}

function collapsible(kernel: Kernel, run: Run | undefined): vscode.TreeItemCollapsibleState {
  return run || !kernel.executions?.length ? vscode.TreeItemCollapsibleState.None : vscode.TreeItemCollapsibleState.Expanded
}

function iconColor({ icon }: Row): vscode.ThemeColor | undefined {
  if (icon === 'warning') return new vscode.ThemeColor('problemsWarningIcon.foreground')
  return icon === 'vm-running' || icon === 'play' ? new vscode.ThemeColor('debugIcon.startForeground') : undefined
}
