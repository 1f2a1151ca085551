import * as vscode from 'vscode'
import type { ExecEvent, MimeBundle } from '../run/exec-events.ts'
import { itemsOf } from './cell-outputs.ts'

/** Writes the events of an execution into its cell. */
export class OutputWriter {
  readonly #execution: vscode.NotebookCellExecution
  readonly #displays = new Map<string, vscode.NotebookCellOutput>()
  /** The stream that text is added to. */
  #stream: { name: string; output: vscode.NotebookCellOutput } | undefined
  #clearNext = false
  count: number | undefined

  constructor(execution: vscode.NotebookCellExecution) {
    this.#execution = execution
  }

  async add(event: ExecEvent): Promise<void> {
    if (event.type === 'clear_output') {
      if (event.wait) this.#clearNext = true
      else await this.#clear()
      return
    }
    if (this.#clearNext) await this.#clear()
    switch (event.type) {
      case 'stream': {
        const { stdout, stderr } = vscode.NotebookCellOutputItem
        const item = event.name === 'stdout' ? stdout(event.text) : stderr(event.text)
        if (this.#stream?.name === event.name) {
          await this.#execution.appendOutputItems(item, this.#stream.output)
          return
        }
        const output = new vscode.NotebookCellOutput([item], { outputType: 'stream' })
        await this.#append(output)
        this.#stream = { name: event.name, output }
        return
      }
      case 'execute_result':
        this.count = event.execution_count
        await this.#append(outputOf(event.data, { outputType: 'execute_result', executionCount: event.execution_count }))
        return
      case 'display_data': {
        const output = outputOf(event.data, { outputType: 'display_data' })
        if (event.display_id !== undefined) this.#displays.set(event.display_id, output)
        await this.#append(output)
        return
      }
      case 'update_display_data': {
        const output = event.display_id === undefined ? undefined : this.#displays.get(event.display_id)
        if (output) await this.#execution.replaceOutputItems(outputOf(event.data).items, output)
        return
      }
      case 'page':
        await this.#append(outputOf(event.data, { outputType: 'display_data' }))
        return
      case 'error': {
        const { ename, evalue, traceback } = event
        const item = vscode.NotebookCellOutputItem.error({ name: ename, message: evalue, stack: traceback.join('\n') })
        await this.#append(new vscode.NotebookCellOutput([item], { outputType: 'error' }))
        return
      }
      case 'start':
      case 'end':
    }
  }

  /** What went wrong beside the code: no command, no kernel. */
  async fail(error: unknown): Promise<void> {
    const { message = String(error), hint } = error as { message?: string; hint?: string }
    const text = [message, hint].filter(Boolean).join('\n')
    await this.#append(new vscode.NotebookCellOutput([vscode.NotebookCellOutputItem.error({ name: 'llmspell', message: text, stack: '' })]))
  }

  async #append(output: vscode.NotebookCellOutput): Promise<void> {
    this.#stream = undefined
    await this.#execution.appendOutput(output)
  }

  async #clear(): Promise<void> {
    this.#clearNext = false
    this.#stream = undefined
    this.#displays.clear()
    await this.#execution.clearOutput()
  }
}

function outputOf(data: MimeBundle, metadata?: Record<string, unknown>): vscode.NotebookCellOutput {
  const items = itemsOf(data).map((item) => new vscode.NotebookCellOutputItem(item.data, item.mime))
  return new vscode.NotebookCellOutput(items, metadata)
}
