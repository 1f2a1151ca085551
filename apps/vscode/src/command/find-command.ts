import { delimiter, isAbsolute, join, resolve } from 'node:path'
import { LlmspellError } from '@llmspell/base'

/** How to start `llmspell`: what stands before its own arguments. */
export interface Command {
  readonly program: string
  readonly args: readonly string[]
  readonly origin: 'setting' | 'workspace' | 'path'
}

export interface CommandSurroundings {
  /** The setting `llmspell.command`; empty when it is not set. */
  readonly setting: string
  readonly workspaceFolders: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly home: string
  readonly platform: NodeJS.Platform
  isFile(path: string): boolean
}

/**
 * The setting, else the workspace's `node_modules/.bin`, else the PATH. Throws code `vscode.command_missing`, with what was looked at.
 */
export function findCommand(around: CommandSurroundings): Command {
  const setting = around.setting.trim()
  if (setting !== '') {
    const found = isPath(setting, around.platform) ? pathOfSetting(setting, around) : onPath(setting, around)
    if (found) return commandOf(found, 'setting', around.platform)
    throw missing(
      `the setting llmspell.command names "${setting}", which was not found`,
      'Correct the setting, or remove it to use the PATH.',
    )
  }
  for (const folder of around.workspaceFolders) {
    const found = firstFile(join(folder, 'node_modules', '.bin', 'llmspell'), around)
    if (found) return commandOf(found, 'workspace', around.platform)
  }
  const found = onPath('llmspell', around)
  if (found) return commandOf(found, 'path', around.platform)
  throw missing(
    'the llmspell command was not found in node_modules/.bin of the workspace or on the PATH',
    'Install it with `npm install @llmspell/cli`, or say in the setting llmspell.command where it is.',
  )
}

function missing(message: string, hint: string): LlmspellError {
  return new LlmspellError(message, { code: 'vscode.command_missing', hint })
}

function isPath(text: string, platform: NodeJS.Platform): boolean {
  return text.includes('/') || (platform === 'win32' && text.includes('\\')) || SCRIPT.test(text)
}

function pathOfSetting(setting: string, around: CommandSurroundings): string | undefined {
  const expanded = setting.replace(/^~(?=$|[/\\])/, around.home)
  if (isAbsolute(expanded)) return firstFile(expanded, around)
  for (const folder of around.workspaceFolders) {
    const found = firstFile(resolve(folder, expanded.replace(/^\$\{workspaceFolder\}[/\\]/, '')), around)
    if (found) return found
  }
  return undefined
}

function onPath(name: string, around: CommandSurroundings): string | undefined {
  const path = around.env['PATH'] ?? around.env['Path'] ?? ''
  for (const folder of path.split(delimiter)) {
    const found = isAbsolute(folder) ? firstFile(join(folder, name), around) : undefined
    if (found) return found
  }
  return undefined
}

/** On Windows a name without ending stands for a shell script beside the file that Windows can start. */
function firstFile(path: string, { platform, isFile }: CommandSurroundings): string | undefined {
  const candidates = platform === 'win32' && !/\.\w+$/.test(path) ? [`${path}.cmd`, `${path}.exe`] : [path]
  return candidates.find(isFile)
}

const SCRIPT = /\.[cm]?js$/i

function commandOf(file: string, origin: Command['origin'], platform: NodeJS.Platform): Command {
  // Not this process's own program: that is the editor.
  if (SCRIPT.test(file)) return { program: 'node', args: [file], origin }
  if (platform === 'win32' && /\.(cmd|bat)$/i.test(file)) return { program: 'cmd.exe', args: ['/d', '/s', '/c', file], origin }
  return { program: file, args: [], origin }
}
