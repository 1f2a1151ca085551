import * as vscode from 'vscode'
import { type Llmspell, tracing } from '../command/llmspell.ts'
import { AdapterProcess, type MessageFilter } from './adapter-process.ts'

/** What shall change the messages of a session; it may use the adapter once that runs. */
type FilterOf = (session: vscode.DebugSession, adapter: () => AdapterProcess) => MessageFilter | undefined

/** Every session has a `llmspell dap` of its own, which finds or starts the kernel. */
export class AdapterFactory implements vscode.DebugAdapterDescriptorFactory {
  readonly #llmspell: Llmspell
  readonly #log: vscode.LogOutputChannel
  readonly #filterOf: FilterOf

  constructor(llmspell: Llmspell, log: vscode.LogOutputChannel, filterOf: FilterOf) {
    this.#llmspell = llmspell
    this.#log = log
    this.#filterOf = filterOf
  }

  createDebugAdapterDescriptor(session: vscode.DebugSession): vscode.DebugAdapterDescriptor {
    const { workspaceFolder, name } = session
    const cwd = workspaceFolder?.uri.fsPath
    const filter = this.#filterOf(session, () => adapter)
    const adapter: AdapterProcess = new AdapterProcess(this.#llmspell.command(workspaceFolder), {
      env: this.#llmspell.environment(),
      onDiagnostic: (line) => this.#log.warn(`${name}: ${line}`),
      ...(cwd === undefined ? {} : { cwd }),
      ...(filter === undefined ? {} : { filter }),
    })
    return new vscode.DebugAdapterInlineImplementation(adapter as vscode.DebugAdapter)
  }
}

/** Writes what passes between VS Code and the adapter to the log, as the setting `llmspell.trace` asks. */
export class MessageTrace implements vscode.DebugAdapterTrackerFactory {
  readonly #log: vscode.LogOutputChannel

  constructor(log: vscode.LogOutputChannel) {
    this.#log = log
  }

  createDebugAdapterTracker({ name, id }: vscode.DebugSession): vscode.DebugAdapterTracker {
    const log = this.#log
    const session = `${name} (${id.slice(0, 8)})`
    const trace = (arrow: string, message: unknown): void => {
      if (tracing()) log.info(`${session} ${arrow} ${describe(message)}`)
    }
    return {
      onWillReceiveMessage: (message) => trace('→', message),
      onDidSendMessage: (message) => trace('←', message),
    }
  }
}

interface Message {
  type?: string
  command?: string
  event?: string
  success?: boolean
  message?: string
}

function describe(message: unknown): string {
  if (vscode.workspace.getConfiguration('llmspell').get('trace') === 'verbose') return JSON.stringify(message)
  const { type, command, event, success, message: problem } = message as Message
  if (type === 'event') return `event ${event}`
  return type === 'response' ? `${command} ${success ? 'ok' : `failed: ${problem}`}` : `${command}`
}
