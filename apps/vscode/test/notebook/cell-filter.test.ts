import type { Dap } from '@llmspell/dap'
import { beforeEach, describe, expect, test } from 'vitest'
import { CellFilter } from '../../src/notebook/cell-filter.ts'

const FIRST = 'vscode-notebook-cell:/project/n.ipynb#W0'
const SECOND = 'vscode-notebook-cell:/project/n.ipynb#W1'

/** A kernel that names cells by their code and numbers breakpoints one after the other. */
class Kernel {
  readonly asked: { command: string; args: Record<string, unknown> }[] = []
  #next = 1

  readonly ask = async (command: string, args: object): Promise<unknown> => {
    this.asked.push({ command, args: args as Record<string, unknown> })
    if (command === 'dumpCell') return { sourcePath: pathOf((args as { code: string }).code) }
    return this.setBreakpoints(args as Dap.SetBreakpointsArguments)
  }

  setBreakpoints({ source, breakpoints = [] }: Dap.SetBreakpointsArguments): Dap.SetBreakpointsResponseBody {
    return { breakpoints: breakpoints.map(({ line }) => ({ id: this.#next++, verified: true, line, source })) }
  }
}

function pathOf(code: string): string {
  return `/cells/${Buffer.from(code).toString('hex')}.lua`
}

function request(seq: number, command: string, args: object): Dap.ProtocolMessage {
  return { seq, type: 'request', command, arguments: args } as Dap.ProtocolMessage
}

function setBreakpoints(seq: number, uri: string, ...lines: number[]): Dap.ProtocolMessage {
  return request(seq, 'setBreakpoints', { source: { name: 'x', path: uri }, breakpoints: lines.map((line) => ({ line })) })
}

describe('cells between an editor and a kernel', () => {
  let code: Record<string, string>
  let kernel: Kernel
  let filter: CellFilter
  let told: Dap.Event[]

  beforeEach(() => {
    code = { [FIRST]: 'x = 1', [SECOND]: 'y = "ü😀"' }
    kernel = new Kernel()
    told = []
    const names: Record<string, string> = { [FIRST]: 'cell 1', [SECOND]: 'cell 2' }
    filter = new CellFilter({ all: () => Object.keys(code), code: (uri) => code[uri], name: (uri) => names[uri] ?? '?' }, (event) =>
      told.push(event),
    )
  })

  /** Breakpoints set through the filter, with the answer that the editor gets. */
  async function set(seq: number, uri: string, ...lines: number[]): Promise<Dap.Breakpoint[]> {
    const sent = (await filter.toAdapter(setBreakpoints(seq, uri, ...lines), kernel.ask)) as Dap.Request
    const body = kernel.setBreakpoints(sent.arguments as Dap.SetBreakpointsArguments)
    const answer = { seq, type: 'response', request_seq: seq, success: true, command: 'setBreakpoints', body }
    const seen = filter.toEditor(answer as Dap.ProtocolMessage) as Dap.Response
    return (seen.body as Dap.SetBreakpointsResponseBody).breakpoints
  }

  test('a breakpoint goes to the path of the code, and comes back as one of the cell', async () => {
    const sent = (await filter.toAdapter(setBreakpoints(1, SECOND, 1), kernel.ask)) as Dap.Request
    expect(sent).toMatchObject({ seq: 1, arguments: { source: { path: pathOf('y = "ü😀"') }, breakpoints: [{ line: 1 }] } })
    expect(await set(2, FIRST, 1)).toEqual([{ id: 1, verified: true, line: 1, source: { name: 'cell 1', path: FIRST } }])
  })

  test('frames, events and lists of sources name the cell', async () => {
    await set(1, FIRST, 1)
    const source = { path: pathOf('x = 1'), name: 'abc.lua', sourceReference: 7 }
    const other = { path: '/project/a.lua', name: 'a.lua' }
    const stack = {
      type: 'response',
      request_seq: 2,
      command: 'stackTrace',
      body: {
        stackFrames: [
          { id: 1, source },
          { id: 2, source: other },
        ],
      },
    }
    expect(filter.toEditor(stack as unknown as Dap.ProtocolMessage)).toMatchObject({
      body: { stackFrames: [{ source: { path: FIRST, name: 'cell 1' } }, { source: other }] },
    })
    const loaded = { type: 'event', event: 'loadedSource', body: { reason: 'new', source } }
    expect(JSON.stringify(filter.toEditor(loaded as unknown as Dap.ProtocolMessage))).not.toContain('sourceReference')
    const sources = { type: 'response', request_seq: 3, command: 'loadedSources', body: { sources: [source, other] } }
    expect(filter.toEditor(sources as unknown as Dap.ProtocolMessage)).toMatchObject({ body: { sources: [{ path: FIRST }, other] } })
  })

  test('a call stack names cells without breakpoints, too', async () => {
    const done = request(1, 'configurationDone', {})
    expect(await filter.toAdapter(done, kernel.ask)).toEqual(done)
    const stack = {
      type: 'response',
      request_seq: 2,
      command: 'stackTrace',
      body: { stackFrames: [{ source: { path: pathOf('x = 1') } }] },
    }
    expect(filter.toEditor(stack as unknown as Dap.ProtocolMessage)).toMatchObject({ body: { stackFrames: [{ source: { path: FIRST } }] } })
  })

  test('a kernel that cannot name a cell does not keep the session from starting', async () => {
    const refusing = (): Promise<unknown> => Promise.reject(new Error('refused'))
    const done = request(1, 'configurationDone', {})
    expect(await filter.toAdapter(done, refusing)).toEqual(done)
  })

  test('what is not about cells passes unchanged', async () => {
    const messages = [
      request(1, 'threads', {}),
      setBreakpoints(2, '/project/a.lua', 4),
      { seq: 3, type: 'event', event: 'stopped', body: { reason: 'step', threadId: 1, hitBreakpointIds: [4] } } as Dap.ProtocolMessage,
    ]
    for (const message of messages) {
      expect(await filter.toAdapter(message, kernel.ask)).toEqual(message)
      expect(filter.toEditor(message)).toEqual(message)
    }
    expect(kernel.asked).toEqual([])
  })

  test('an edited cell gets its breakpoints under its new path, and the editor its own numbers', async () => {
    const [first] = await set(1, FIRST, 1)
    code[FIRST] = 'x = 2'
    await filter.refresh(FIRST, kernel.ask)
    expect(kernel.asked.slice(-2).map(({ args }) => args)).toMatchObject([
      { source: { path: pathOf('x = 1') }, breakpoints: [] },
      { source: { path: pathOf('x = 2') }, breakpoints: [{ line: 1 }] },
    ])
    expect(told).toMatchObject([{ event: 'breakpoint', body: { breakpoint: { id: first?.id, verified: true, source: { path: FIRST } } } }])
    const stopped = { seq: 1, type: 'event', event: 'stopped', body: { hitBreakpointIds: [2] } } as Dap.ProtocolMessage
    expect(filter.toEditor(stopped)).toMatchObject({ body: { hitBreakpointIds: [first?.id] } })
    const moved = { seq: 2, type: 'event', event: 'breakpoint', body: { breakpoint: { id: 2, verified: false } } } as Dap.ProtocolMessage
    expect(filter.toEditor(moved)).toMatchObject({ body: { breakpoint: { id: first?.id } } })
  })

  test('an unchanged cell, and one without breakpoints, is left alone', async () => {
    await set(1, FIRST, 1)
    const before = kernel.asked.filter(({ command }) => command === 'setBreakpoints').length
    await filter.refresh(FIRST, kernel.ask)
    code[SECOND] = 'changed'
    await filter.refresh(SECOND, kernel.ask)
    expect(kernel.asked.filter(({ command }) => command === 'setBreakpoints')).toHaveLength(before)
    expect(told).toEqual([])
  })

  test('two cells with the same code do not lose each other’s breakpoints when one is edited', async () => {
    code[SECOND] = 'x = 1'
    await set(1, FIRST, 1)
    await set(2, SECOND, 1)
    code[FIRST] = 'x = 3'
    await filter.refresh(FIRST, kernel.ask)
    const cleared = kernel.asked.filter(({ args }) => Array.isArray(args['breakpoints']) && args['breakpoints'].length === 0)
    expect(cleared).toEqual([])
  })

  test('a cell that is gone keeps its last path', async () => {
    await set(1, FIRST, 1)
    delete code[FIRST]
    const sent = (await filter.toAdapter(setBreakpoints(2, FIRST), kernel.ask)) as Dap.Request
    expect(sent.arguments).toMatchObject({ source: { path: pathOf('x = 1') }, breakpoints: [] })
  })
})
