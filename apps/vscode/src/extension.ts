import { resolvePaths } from '@llmspell/config/paths'
import * as vscode from 'vscode'
import { Llmspell, showError } from './command/llmspell.ts'
import { AdapterFactory, MessageTrace } from './debugging/adapter.ts'
import { ConfigurationProvider, dynamicConfigurations, initialConfigurations } from './debugging/provider.ts'
import { kernelCommands } from './kernels/kernel-commands.ts'
import { KernelsView } from './kernels/kernels-view.ts'
import { Notebooks } from './notebook/notebooks.ts'
import { runCommands, taskProvider } from './run/run-commands.ts'

/** Composition: read from top to bottom. */
export function activate({ subscriptions, extensionUri }: vscode.ExtensionContext): void {
  const add = <T extends vscode.Disposable>(item: T): T => {
    subscriptions.push(item)
    return item
  }
  const log = add(vscode.window.createOutputChannel('llmspell Log', { log: true }))
  const output = add(vscode.window.createOutputChannel('llmspell'))
  const llmspell = new Llmspell(log)
  const view = add(new KernelsView(llmspell, log, resolvePaths(llmspell.environment()).kernelsDir))
  const notebooks = add(new Notebooks(llmspell, view))

  const { Dynamic, Initial } = vscode.DebugConfigurationProviderTriggerKind
  const provider = new ConfigurationProvider(llmspell, extensionUri)
  for (const type of ['llmspell', 'llmspell-script']) add(vscode.debug.registerDebugConfigurationProvider(type, provider))
  add(vscode.debug.registerDebugConfigurationProvider('llmspell', initialConfigurations, Initial))
  add(vscode.debug.registerDebugConfigurationProvider('llmspell', dynamicConfigurations, Dynamic))
  add(vscode.debug.registerDebugAdapterDescriptorFactory('llmspell', new AdapterFactory(llmspell, log, notebooks.filterOf)))
  add(vscode.debug.registerDebugAdapterTrackerFactory('llmspell', new MessageTrace(log)))
  add(vscode.tasks.registerTaskProvider('llmspell', taskProvider(llmspell)))

  const commands: Record<string, (argument?: never) => Promise<void>> = {
    ...kernelCommands(llmspell, view),
    ...runCommands(llmspell, output),
    'llmspell.debugCell': notebooks.debugCell,
    'llmspell.showLog': async () => log.show(),
  }
  for (const [name, run] of Object.entries(commands)) {
    const guarded = async (argument?: never): Promise<void> => {
      try {
        await run(argument)
      } catch (error) {
        log.error(error instanceof Error ? error : String(error))
        // Not awaited: a command is over when it failed, not when its message is closed.
        void showError(error, extensionUri)
      }
    }
    add(vscode.commands.registerCommand(name, guarded))
  }
}
