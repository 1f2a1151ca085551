import * as vscode from 'vscode'
import type { Llmspell } from '../command/llmspell.ts'
import { type Kernel, kernelRow, type Run, runRow } from './kernel-list.ts'
import type { KernelsView, Node } from './kernels-view.ts'

/** A kernel may take its time to end what runs, and a start on a loaded machine, too. */
const CHANGE_MS = 90_000

/** What can be done with kernels, from the tree or, with a question which one, from the command palette. */
export function kernelCommands(llmspell: Llmspell, view: KernelsView): Record<string, (node?: Node) => Promise<void>> {
  const change = async (title: string, args: readonly string[], cwd?: string): Promise<unknown> => {
    try {
      return await vscode.window.withProgress({ location: { viewId: 'llmspell.kernels' }, title }, () =>
        llmspell.ask(args, { timeoutMs: CHANGE_MS, ...(cwd === undefined ? {} : { cwd }) }),
      )
    } finally {
      await view.refresh()
    }
  }
  const chosen = async (node: Node | undefined, what: string): Promise<Kernel | undefined> => node?.kernel ?? pickKernel(view, what)

  return {
    async 'llmspell.kernel.start'() {
      const running = await view.kernels()
      const id = await vscode.window.showInputBox({
        title: 'Start a kernel',
        prompt: 'Its name. It stays until it is stopped.',
        value: freeId(running.map((kernel) => kernel.id)),
        validateInput: (text) => idProblem(text, running),
      })
      if (id === undefined) return
      await change('starting a kernel…', ['kernel', 'start', '--daemon', '--id', id], vscode.workspace.workspaceFolders?.[0]?.uri.fsPath)
    },
    async 'llmspell.kernel.stop'(node) {
      const kernel = await chosen(node, 'Stop which kernel?')
      if (!kernel) return
      const runs = kernel.executions?.filter(({ state }) => state === 'running') ?? []
      if (runs.length > 0) {
        const detail = `It runs ${runs.map(({ source }) => source).join(', ')}.`
        const answer = await vscode.window.showWarningMessage(`Stop the kernel "${kernel.id}"?`, { modal: true, detail }, 'Stop')
        if (answer !== 'Stop') return
      }
      await change('stopping the kernel…', ['kernel', 'stop', kernel.id])
    },
    async 'llmspell.kernel.restart'(node) {
      const kernel = await chosen(node, 'Restart which kernel?')
      if (!kernel) return
      const answer = await vscode.window.showWarningMessage(
        `Restart the kernel "${kernel.id}"?`,
        { modal: true, detail: 'What runs is ended and variables are gone. Saved state stays.' },
        'Restart',
      )
      if (answer === 'Restart') await change('restarting the kernel…', ['kernel', 'restart', kernel.id])
    },
    async 'llmspell.kernel.interrupt'(node) {
      const kernel = await chosen(node, 'Interrupt which kernel?')
      if (!kernel) return
      const execution = node?.run ?? (await pickRun(kernel))
      if (execution === undefined) return
      const which = execution === 'shared' ? [] : ['--execution', execution.msg_id]
      const answer = (await change('interrupting…', ['kernel', 'interrupt', kernel.id, ...which])) as { interrupted?: boolean }
      if (!answer.interrupted) void vscode.window.showInformationMessage(`llmspell: nothing was running in the kernel "${kernel.id}".`)
    },
    async 'llmspell.kernel.logs'(node) {
      const kernel = await chosen(node, 'Show the log of which kernel?')
      if (!kernel) return
      const { program, args } = llmspell.command()
      vscode.window
        .createTerminal({
          name: `llmspell log: ${kernel.id}`,
          shellPath: program,
          shellArgs: [...args, 'kernel', 'logs', kernel.id, '--follow', '--lines', '200'],
          env: llmspell.environment() as Record<string, string>,
          isTransient: true,
        })
        .show()
    },
    async 'llmspell.attach'(node) {
      const target = node ?? (await pickTarget(view))
      if (!target) return
      const { kernel, run } = target
      await vscode.debug.startDebugging(vscode.workspace.workspaceFolders?.[0], {
        type: 'llmspell',
        request: 'attach',
        name: run ? `${runRow(run, Date.now()).label} (${kernel.id})` : `Kernel ${kernel.id}`,
        kernel: kernel.id,
        ...(run ? { run: run.msg_id } : {}),
      })
    },
    'llmspell.kernels.refresh': () => view.refresh(),
  }
}

/** A kernel of those that run; the only one without a question. */
async function pickKernel(view: KernelsView, title: string): Promise<Kernel | undefined> {
  const kernels = await view.kernels()
  if (kernels.length === 0) {
    void vscode.window.showInformationMessage('llmspell: no kernel is running.')
    return undefined
  }
  if (kernels.length === 1) return kernels[0]
  return (await vscode.window.showQuickPick(kernels.map(kernelItem), { title, matchOnDescription: true }))?.node.kernel
}

async function pickTarget(view: KernelsView): Promise<Node | undefined> {
  const kernels = await view.kernels()
  if (kernels.length === 0) {
    void vscode.window.showInformationMessage('llmspell: no kernel is running.')
    return undefined
  }
  const items = kernels.flatMap((kernel) => [kernelItem(kernel), ...(kernel.executions ?? []).map((run) => runItem(kernel, run))])
  return (await vscode.window.showQuickPick(items, { title: 'Attach the debugger to', matchOnDescription: true }))?.node
}

/** One of several executions; the kernel's own choice when there is at most one. */
async function pickRun(kernel: Kernel): Promise<Run | 'shared' | undefined> {
  const runs = kernel.executions?.filter(({ state }) => state === 'running') ?? []
  if (runs.length === 0) return 'shared'
  if (runs.length === 1) return runs[0]
  return (
    await vscode.window.showQuickPick(
      runs.map((run) => runItem(kernel, run)),
      { title: 'Interrupt which run?' },
    )
  )?.node.run
}

interface Item extends vscode.QuickPickItem {
  readonly node: Node
}

function kernelItem(kernel: Kernel): Item {
  const { label, description, icon } = kernelRow(kernel, Date.now())
  return { label: `$(${icon}) ${label}`, description: `kernel, ${description}`, node: { kernel } }
}

function runItem(kernel: Kernel, run: Run): Item {
  const { label, description, icon } = runRow(run, Date.now())
  return { label: `$(${icon}) ${label}`, description: `in ${kernel.id}, ${description}`, detail: run.source, node: { kernel, run } }
}

function freeId(taken: readonly string[]): string {
  if (!taken.includes('default')) return 'default'
  for (let n = 2; ; n++) if (!taken.includes(`kernel-${n}`)) return `kernel-${n}`
}

function idProblem(text: string, running: readonly Kernel[]): string | undefined {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text)) return 'Letters, digits, ".", "_" and "-", at most 64, the first a letter or digit.'
  return running.some(({ id }) => id === text) ? `A kernel "${text}" is running.` : undefined
}
