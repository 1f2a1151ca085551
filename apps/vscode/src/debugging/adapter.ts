import * as vscode from 'vscode'
import { type Llmspell, tracing } from '../command/llmspell.ts'

/** Every session has a `llmspell dap` of its own, which finds or starts the kernel. */
export class AdapterFactory implements vscode.DebugAdapterDescriptorFactory {
  readonly #llmspell: Llmspell

  constructor(llmspell: Llmspell) {
    this.#llmspell = llmspell
  }

  createDebugAdapterDescriptor({ workspaceFolder }: vscode.DebugSession): vscode.DebugAdapterDescriptor {
    const { program, args } = this.#llmspell.command(workspaceFolder)
    const cwd = workspaceFolder?.uri.fsPath
    return new vscode.DebugAdapterExecutable(program, [...args, 'dap'], {
      env: definedOnly(this.#llmspell.environment()),
      ...(cwd === undefined ? {} : { cwd }),
    })
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
      onError: (error) => log.error(`${session}: ${error.message}`),
      onExit(code, signal) {
        if (code || signal) log.warn(`${session}: the adapter ended with ${signal ?? `exit code ${code}`}`)
      },
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

function definedOnly(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined))
}
