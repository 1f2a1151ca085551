import type { Dap } from '@llmspell/dap'
import type { Ask, MessageFilter } from '../debugging/adapter-process.ts'

/** The cells of the notebooks that are open. */
export interface Cells {
  /** URIs of all of them: what a call stack may show. */
  all(): string[]
  /** What a kernel would be sent; undefined for a cell that is gone. */
  code(uri: string): string | undefined
  /** `cell 3`, as a call stack shows it. */
  name(uri: string): string
}

const CELL = 'vscode-notebook-cell:'

interface CellBreakpoints {
  readonly request: Dap.SetBreakpointsArguments
  /** As the editor knows them, in the order of the request. */
  readonly ids: (number | undefined)[]
}

/**
 * An editor knows a cell by its URI, a kernel by a path made from its code (Jupyter's `dumpCell`). This stands between them, in both
 * directions. When a cell's code changes its path does, too: `refresh` then sets its breakpoints anew.
 */
export class CellFilter implements MessageFilter {
  readonly #cells: Cells
  readonly #emit: (event: Dap.Event) => void
  readonly #paths = new Map<string, string>()
  /** The last cell with that code, for cells that are alike. */
  readonly #uris = new Map<string, string>()
  readonly #breakpoints = new Map<string, CellBreakpoints>()
  /** `setBreakpoints` without an answer, by their numbers. */
  readonly #asked = new Map<number, string>()
  /** Breakpoints that were set anew have new numbers, of which the editor does not know. */
  readonly #ids = new Map<number, number>()

  /** `emit`: tells the editor of breakpoints that moved. */
  constructor(cells: Cells, emit: (event: Dap.Event) => void) {
    this.#cells = cells
    this.#emit = emit
  }

  async toAdapter(message: Dap.ProtocolMessage, ask: Ask): Promise<Dap.ProtocolMessage> {
    if (message.type !== 'request') return message
    const request = message as Dap.Request
    // From here on code runs, which may be in a cell without breakpoints.
    if (request.command === 'configurationDone') await this.#nameAll(ask)
    const args = request.arguments as { source?: Dap.Source } | undefined
    const uri = args?.source?.path
    if (!args || !uri?.startsWith(CELL)) return message
    const path = await this.#pathOf(uri, ask)
    if (path === undefined) return message
    const mapped = { ...args, source: { ...args.source, path } }
    if (request.command === 'setBreakpoints') {
      this.#breakpoints.set(uri, { request: mapped as Dap.SetBreakpointsArguments, ids: [] })
      this.#asked.set(request.seq, uri)
    }
    return { ...request, arguments: mapped } as Dap.ProtocolMessage
  }

  toEditor(message: Dap.ProtocolMessage): Dap.ProtocolMessage {
    if (message.type === 'response') {
      const response = message as Dap.Response
      const uri = this.#asked.get(response.request_seq)
      if (uri !== undefined) {
        this.#asked.delete(response.request_seq)
        const known = this.#breakpoints.get(uri)
        known?.ids.push(...breakpointsOf(response.body).map(({ id }) => id))
      }
      // These may be large, and name no sources.
      if (response.command === 'variables' || response.command === 'readMemory') return message
    }
    return this.#translate(message) as Dap.ProtocolMessage
  }

  /** To be called when the code of a cell may have changed, and before it runs. */
  async refresh(uri: string, ask: Ask): Promise<void> {
    const known = this.#breakpoints.get(uri)
    const before = this.#paths.get(uri)
    const path = await this.#pathOf(uri, ask)
    if (!known || before === undefined) return
    if (path === undefined || path === before) return
    const request = { ...known.request, source: { ...known.request.source, path } }
    this.#breakpoints.set(uri, { ...known, request })
    if (![...this.#paths.values()].includes(before)) await ask('setBreakpoints', { source: { path: before }, breakpoints: [] })
    const bound = breakpointsOf(await ask('setBreakpoints', request))
    for (const [at, breakpoint] of bound.entries()) {
      const id = known.ids[at]
      if (id === undefined) continue
      if (breakpoint.id !== undefined) this.#ids.set(breakpoint.id, id)
      const body = { reason: 'changed', breakpoint: this.#translate({ ...breakpoint, id }) }
      this.#emit({ seq: 0, type: 'event', event: 'breakpoint', body } as Dap.Event)
    }
  }

  async #nameAll(ask: Ask): Promise<void> {
    // One that the kernel cannot name is shown as the kernel shows it.
    await Promise.allSettled(this.#cells.all().map((uri) => this.#pathOf(uri, ask)))
  }

  async #pathOf(uri: string, ask: Ask): Promise<string | undefined> {
    const code = this.#cells.code(uri)
    if (code === undefined) return this.#paths.get(uri)
    const { sourcePath } = (await ask('dumpCell', { code })) as Dap.DumpCellResponseBody
    this.#paths.set(uri, sourcePath)
    this.#uris.set(sourcePath, uri)
    return sourcePath
  }

  /** Paths of cells become their URIs, numbers of breakpoints those that the editor knows, wherever they stand. */
  #translate(value: unknown, key?: string): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#translate(item, key))
    if (typeof value === 'number') return key === 'hitBreakpointIds' ? (this.#ids.get(value) ?? value) : value
    if (typeof value !== 'object' || value === null) return value
    const object = value as Record<string, unknown>
    const result: Record<string, unknown> = {}
    for (const [name, item] of Object.entries(object)) result[name] = this.#translate(item, name)
    if (key === 'source' || key === 'sources') this.#nameSource(result)
    if (key === 'breakpoint' && typeof result['id'] === 'number') result['id'] = this.#ids.get(result['id']) ?? result['id']
    return result
  }

  #nameSource(source: Record<string, unknown>): void {
    const uri = this.#uris.get(String(source['path']))
    if (uri === undefined) return
    source['path'] = uri
    source['name'] = this.#cells.name(uri)
    // A reference would let the editor show a copy of the text instead of the cell.
    delete source['sourceReference']
  }
}

function breakpointsOf(body: unknown): Dap.Breakpoint[] {
  return (body as { breakpoints?: Dap.Breakpoint[] } | undefined)?.breakpoints ?? []
}
