import { dirname } from 'node:path'
import * as vscode from 'vscode'
import type { Llmspell } from '../command/llmspell.ts'
import { configurationOfFile, isLanguage, languageOfFile } from '../debugging/configuration.ts'
import { activeFile } from '../debugging/provider.ts'
import { parseEvent, textOf } from './exec-events.ts'

/** Runs and debugs what is in the editor. */
export function runCommands(llmspell: Llmspell, output: vscode.OutputChannel): Record<string, (uri?: vscode.Uri) => Promise<void>> {
  return {
    async 'llmspell.runFile'(uri) {
      const document = await savedDocument(uri)
      if (document) await vscode.tasks.executeTask(runTask(llmspell, { file: document.uri.fsPath }))
    },
    async 'llmspell.debugFile'(uri) {
      const document = await savedDocument(uri)
      if (!document) return
      const folder = vscode.workspace.getWorkspaceFolder(document.uri)
      const path = document.uri.fsPath
      const checked = configurationOfFile({ path, languageId: document.languageId }, {}, folder?.uri.fsPath ?? dirname(path))
      if ('problem' in checked) void vscode.window.showErrorMessage(`llmspell: ${checked.problem}`)
      else await vscode.debug.startDebugging(folder, checked.configuration as vscode.DebugConfiguration)
    },
    async 'llmspell.runSelection'() {
      const editor = vscode.window.activeTextEditor
      if (!editor || !isLanguage(editor.document.languageId)) {
        void vscode.window.showErrorMessage('llmspell: select code in a Lua, JavaScript or TypeScript file.')
        return
      }
      const { document, selection } = editor
      const code = selection.isEmpty ? document.lineAt(selection.active.line).text : document.getText(selection)
      await runSelection(llmspell, output, code, document)
    },
  }
}

/** In the namespace that exec, the REPL and notebooks share: what it defines stays. */
async function runSelection(llmspell: Llmspell, output: vscode.OutputChannel, code: string, document: vscode.TextDocument): Promise<void> {
  if (code.trim() === '') return
  const folder = vscode.workspace.getWorkspaceFolder(document.uri)?.uri.fsPath
  const cwd = folder ?? (document.uri.scheme === 'file' ? dirname(document.uri.fsPath) : undefined)
  output.show(true)
  output.appendLine(`> ${code.trimEnd().replaceAll('\n', '\n  ')}`)
  const title = 'llmspell runs the selection'
  await vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title, cancellable: true }, async (_, token) => {
    const abort = new AbortController()
    token.onCancellationRequested(() => abort.abort())
    let problem: unknown
    const { exitCode } = await llmspell.run(['exec', '-', '--lang', document.languageId, '--json'], {
      input: code,
      signal: abort.signal,
      ...(cwd === undefined ? {} : { cwd }),
      onLine(line) {
        try {
          const event = parseEvent(line)
          if (event) output.append(textOf(event))
        } catch (error) {
          problem ??= error
        }
      },
    })
    if (problem !== undefined) throw problem
    if (exitCode === 130) output.appendLine('interrupted')
  })
}

/** The document of a file, saved: a kernel reads what is on disk. */
async function savedDocument(uri: vscode.Uri | undefined): Promise<vscode.TextDocument | undefined> {
  const document = uri ? await vscode.workspace.openTextDocument(uri) : vscode.window.activeTextEditor?.document
  const active = activeFile(document)
  if (!document || active?.path === undefined || !(isLanguage(active.languageId) || languageOfFile(active.path))) {
    void vscode.window.showErrorMessage('llmspell: open a Lua, JavaScript or TypeScript file that is saved to disk.')
    return undefined
  }
  if (document.isDirty && !(await document.save())) return undefined
  return document
}

interface RunDefinition {
  readonly file: string
  readonly args?: readonly string[]
  readonly kernel?: string
}

/** A task and not a plain terminal: it stays open at the end, tells the exit code, and can be run again. */
function runTask(llmspell: Llmspell, definition: RunDefinition, given?: vscode.Task): vscode.Task {
  const { file, args = [], kernel } = definition
  const folder = given && typeof given.scope === 'object' ? given.scope : vscode.workspace.getWorkspaceFolder(vscode.Uri.file(file))
  const command = llmspell.command(folder)
  const connect = kernel === undefined ? [] : ['--connect', kernel]
  const rest = args.length > 0 ? ['--', ...args] : []
  const cwd = folder?.uri.fsPath ?? dirname(file)
  const execution = new vscode.ProcessExecution(command.program, [...command.args, 'run', ...connect, file, ...rest], {
    cwd,
    env: llmspell.environment() as Record<string, string>,
  })
  const name = given?.name ?? `run ${vscode.workspace.asRelativePath(file)}`
  const task = new vscode.Task(
    given?.definition ?? { type: 'llmspell', file },
    folder ?? vscode.TaskScope.Workspace,
    name,
    'llmspell',
    execution,
    [],
  )
  task.presentationOptions = { reveal: vscode.TaskRevealKind.Always, panel: vscode.TaskPanelKind.Dedicated, clear: true, focus: false }
  return task
}

/** Tasks of type `llmspell` in tasks.json. */
export function taskProvider(llmspell: Llmspell): vscode.TaskProvider {
  return {
    provideTasks: () => [],
    resolveTask: (task) => runTask(llmspell, task.definition as vscode.TaskDefinition & RunDefinition, task),
  }
}
