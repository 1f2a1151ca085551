import { statSync } from 'node:fs'
import { homedir } from 'node:os'
import { LlmspellError } from '@llmspell/base'
import * as vscode from 'vscode'
import { type Command, findCommand } from './find-command.ts'
import { type CommandOptions, type CommandResult, parseAnswer, runCommand } from './run-command.ts'

/** How long a command that only asks may take: one that starts a kernel gets more. */
const ASK_MS = 30_000

export type RunOptions = Partial<Omit<CommandOptions, 'env'>>

/** The `llmspell` command as the settings of now name it. */
export class Llmspell {
  readonly #log: vscode.LogOutputChannel

  constructor(log: vscode.LogOutputChannel) {
    this.#log = log
  }

  /** Throws `vscode.command_missing`. */
  command(folder?: vscode.WorkspaceFolder): Command {
    const folders = folder ? [folder] : (vscode.workspace.workspaceFolders ?? [])
    return findCommand({
      setting: vscode.workspace.getConfiguration('llmspell', folder).get('command', ''),
      workspaceFolders: folders.filter(({ uri }) => uri.scheme === 'file').map(({ uri }) => uri.fsPath),
      env: process.env,
      home: homedir(),
      platform: process.platform,
      isFile,
    })
  }

  environment(): NodeJS.ProcessEnv {
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      ...vscode.workspace.getConfiguration('llmspell').get<Record<string, string>>('env', {}),
    }
    // An editor that is an Electron program says so to what it starts, which would make a child `node` of its own kind.
    delete env['ELECTRON_RUN_AS_NODE']
    return env
  }

  async run(args: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
    const command = this.command()
    if (tracing()) this.#log.info(`$ ${[command.program, ...command.args, ...args].join(' ')}`)
    const result = await runCommand(command, args, { ...options, env: this.environment() })
    if (result.stderr.trim()) this.#log.warn(`llmspell ${args.join(' ')}: ${result.stderr.trim()}`)
    return result
  }

  /** What `llmspell … --json` answers. */
  async ask(args: readonly string[], options: RunOptions = {}): Promise<unknown> {
    return parseAnswer(await this.run([...args, '--json'], { timeoutMs: ASK_MS, ...options }))
  }
}

export function tracing(): boolean {
  return vscode.workspace.getConfiguration('llmspell').get('trace', 'off') !== 'off'
}

export function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

const SETTING = 'Open Setting'
const INSTALL = 'How to Install'
const LOG = 'Show Log'

/** Tells an error as a message with what can be done about it. */
export async function showError(error: unknown, extensionUri: vscode.Uri): Promise<void> {
  const known = LlmspellError.is(error)
  const text = known ? [sentence(error.message), error.hint].filter(Boolean).join(' ') : String((error as Error)?.message ?? error)
  const commandProblem = known && error.code.startsWith('vscode.command_')
  const chosen = await vscode.window.showErrorMessage(`llmspell: ${text}`, ...(commandProblem ? [SETTING, INSTALL] : [LOG]))
  if (chosen === SETTING) await vscode.commands.executeCommand('workbench.action.openSettings', 'llmspell.command')
  if (chosen === LOG) await vscode.commands.executeCommand('llmspell.showLog')
  if (chosen === INSTALL)
    await vscode.commands.executeCommand(
      'markdown.showPreview',
      vscode.Uri.joinPath(extensionUri, 'README.md').with({ fragment: 'install' }),
    )
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}
