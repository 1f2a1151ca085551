import { basename } from 'node:path'
import { LlmspellError } from '@llmspell/base'

/** What `llmspell kernel list --json` says of one kernel. */
export interface Kernel {
  readonly id: string
  readonly state: 'starting' | 'idle' | 'busy' | 'dead' | 'unresponsive'
  readonly pid: number
  readonly language: string
  readonly startedBy: string
  readonly startedAt: string
  readonly version: string
  readonly connectionFile: string
  readonly logFile?: string
  readonly rssBytes?: number
  readonly clients?: number
  readonly executions?: readonly Run[]
}

/** An execution that runs or waits in a kernel. */
export interface Run {
  readonly msg_id: string
  /** `cell [3]`, or the path of a script. */
  readonly source: string
  readonly language: string
  readonly state: 'running' | 'queued'
  readonly started_at?: string
}

/** Kernels that are there, the default one first. A dead one is listed once by the command and is left out. */
export function parseKernelList(answer: unknown): Kernel[] {
  const kernels = (answer as { kernels?: unknown } | null)?.kernels
  if (!Array.isArray(kernels)) {
    throw new LlmspellError('the llmspell command answers in a way that this extension does not know', {
      code: 'vscode.unknown_answer',
      hint: 'Bring the command and the extension to the same version.',
    })
  }
  return (kernels as Kernel[])
    .filter(({ state }) => state !== 'dead')
    .sort((a, b) => Number(b.id === 'default') - Number(a.id === 'default') || a.id.localeCompare(b.id))
}

/** How a row of the tree looks, without a word of VS Code. */
export interface Row {
  readonly label: string
  readonly description: string
  /** Lines of Markdown. */
  readonly tooltip: readonly string[]
  /** Name of a product icon. */
  readonly icon: string
  readonly contextValue: 'kernel' | 'kernel-unresponsive' | 'run' | 'run-queued'
}

export function kernelRow(kernel: Kernel, now: number): Row {
  const running = kernel.executions?.filter(({ state }) => state === 'running').length ?? 0
  return {
    label: kernel.id,
    description: [
      kernel.state === 'busy' && running > 1 ? `${running} running` : kernel.state,
      kernel.rssBytes === undefined ? undefined : megabytes(kernel.rssBytes),
    ]
      .filter(Boolean)
      .join(', '),
    tooltip: [
      `**${escapeMarkdown(kernel.id)}**, ${kernel.state}, process ${kernel.pid}`,
      `language ${kernel.language}, version ${kernel.version}`,
      `started by ${STARTED_BY[kernel.startedBy] ?? kernel.startedBy} ${age(kernel.startedAt, now)} ago`,
      ...(kernel.clients === undefined ? [] : [`${kernel.clients} ${kernel.clients === 1 ? 'client' : 'clients'}`]),
      ...(kernel.state === 'unresponsive' ? ['It does not answer. _Stop_ ends it.'] : []),
    ],
    icon: kernel.state === 'unresponsive' ? 'warning' : kernel.state === 'busy' ? 'vm-running' : 'vm',
    contextValue: kernel.state === 'unresponsive' ? 'kernel-unresponsive' : 'kernel',
  }
}

export function runRow(run: Run, now: number): Row {
  return {
    label: isFile(run.source) ? basename(run.source) : run.source,
    description: run.state === 'queued' ? 'waits' : run.started_at === undefined ? run.state : age(run.started_at, now),
    tooltip: [escapeMarkdown(run.source), `${run.language}, ${run.state}`, `execution \`${run.msg_id}\``],
    icon: run.state === 'queued' ? 'watch' : 'play',
    contextValue: run.state === 'queued' ? 'run-queued' : 'run',
  }
}

/** Whether an execution is of a file, and not of a cell. */
export function isFile(source: string): boolean {
  return /^(\/|[A-Za-z]:[\\/])/.test(source)
}

const STARTED_BY: Readonly<Record<string, string>> = {
  auto: 'a command',
  daemon: '`llmspell kernel start --daemon`',
  foreground: '`llmspell kernel start`',
  jupyter: 'a Jupyter client',
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1_000_000)} MB`
}

function age(since: string, now: number): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(since)) / 1000))
  if (seconds < 100) return `${seconds} s`
  if (seconds < 6_000) return `${Math.round(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86_400)} days`
}

function escapeMarkdown(text: string): string {
  return text.replaceAll(/[\\`*_{}[\]<>()#+!|-]/g, '\\$&')
}
