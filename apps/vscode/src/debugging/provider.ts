import * as vscode from 'vscode'
import { isFile, type Llmspell, showError } from '../command/llmspell.ts'
import { type ActiveFile, type Checked, checkConfiguration, completeConfiguration, configurationOfFile } from './configuration.ts'

const OPEN = 'Open launch.json'

/** Turns launch.json, or its absence, into a session. */
export class ConfigurationProvider implements vscode.DebugConfigurationProvider {
  readonly #llmspell: Llmspell
  readonly #extensionUri: vscode.Uri

  constructor(llmspell: Llmspell, extensionUri: vscode.Uri) {
    this.#llmspell = llmspell
    this.#extensionUri = extensionUri
  }

  resolveDebugConfiguration(
    folder: vscode.WorkspaceFolder | undefined,
    given: vscode.DebugConfiguration,
  ): vscode.DebugConfiguration | undefined {
    const configuration = accepted(completeConfiguration(given, activeFile()), false)
    // Without a folder, there is nothing that the variable could stand for.
    if (configuration?.['cwd'] === '${workspaceFolder}' && !folder) delete configuration['cwd']
    return configuration
  }

  resolveDebugConfigurationWithSubstitutedVariables(
    folder: vscode.WorkspaceFolder | undefined,
    given: vscode.DebugConfiguration,
  ): vscode.DebugConfiguration | undefined {
    const configuration = accepted(checkConfiguration(given, folder?.uri.fsPath, isFile), true)
    if (!configuration) return undefined
    try {
      this.#llmspell.command(folder)
    } catch (error) {
      void showError(error, this.#extensionUri)
      return undefined
    }
    return configuration
  }
}

/** What a new launch.json begins with. */
export const initialConfigurations: vscode.DebugConfigurationProvider = {
  provideDebugConfigurations: () => [
    { type: 'llmspell', request: 'launch', name: 'Debug ${fileBasename}', program: '${file}' },
    { type: 'llmspell', request: 'attach', name: 'Attach to the kernel', kernel: 'default' },
  ],
}

/** What "Run and Debug" offers without launch.json: the file in the editor, and the kernel. */
export const dynamicConfigurations: vscode.DebugConfigurationProvider = {
  provideDebugConfigurations(folder) {
    const attach: vscode.DebugConfiguration = { type: 'llmspell', request: 'attach', name: 'Attach to the kernel', kernel: 'default' }
    const active = activeFile()
    const checked = active && configurationOfFile(active, {}, folder?.uri.fsPath)
    return checked && 'configuration' in checked ? [checked.configuration as vscode.DebugConfiguration, attach] : [attach]
  },
}

export function activeFile(document: vscode.TextDocument | undefined = vscode.window.activeTextEditor?.document): ActiveFile | undefined {
  if (!document) return undefined
  return { path: document.uri.scheme === 'file' ? document.uri.fsPath : undefined, languageId: document.languageId }
}

function accepted(checked: Checked, fromFile: boolean): vscode.DebugConfiguration | undefined {
  if ('configuration' in checked) return checked.configuration as vscode.DebugConfiguration
  void tell(checked.problem, fromFile)
  return undefined
}

async function tell(problem: string, fromFile: boolean): Promise<void> {
  const chosen = await vscode.window.showErrorMessage(`llmspell: ${problem}`, ...(fromFile ? [OPEN] : []))
  if (chosen === OPEN) await vscode.commands.executeCommand('workbench.action.debug.configure')
}
