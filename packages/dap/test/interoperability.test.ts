import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { InitializedEvent, LoggingDebugSession, OutputEvent, StoppedEvent, TerminatedEvent, Thread } from '@vscode/debugadapter'
import { DebugClient } from '@vscode/debugadapter-testsupport'
import type { DebugProtocol } from '@vscode/debugprotocol'
import { expect, test } from 'vitest'
import { DapClient } from '../src/client.ts'
import { nodeStream } from '../src/node.ts'
import type * as Dap from '../src/protocol.ts'
import { serveToy } from './adapter.ts'

test('their client drives our endpoint', async () => {
  const server = await serveToy()
  const client = new DebugClient('node', 'unused', 'toy')
  try {
    await client.start(server.port)
    await client.hitBreakpoint({ program: '/toy.txt' }, { path: '/toy.txt', line: 3 })
    await client.nextRequest({ threadId: 1 })
    await client.assertStoppedLocation('step', { line: 4 })
    await Promise.all([client.waitForEvent('terminated'), client.assertOutput('stdout', '4\n5\n'), client.continueRequest({ threadId: 1 })])
    await expect(client.customRequest('dance')).rejects.toThrow('unknown command "dance"')
    await client.disconnectRequest()
  } finally {
    await client.stop()
    await server.close()
  }
})

test('our client drives their adapter', async () => {
  const server = createServer((socket) => {
    const session = new TheirSession()
    session.setRunAsServer(true)
    session.start(socket, socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const socket = connect((server.address() as { port: number }).port, '127.0.0.1')
  await once(socket, 'connect')
  const client = new DapClient(nodeStream(socket, socket), {
    handlers: { runInTerminal: ({ args }) => ({ processId: args.length }) },
  })
  try {
    const capabilities = await client.request('initialize', { adapterID: 'theirs', pathFormat: 'path' })
    expect(capabilities?.supportsSetVariable).toBe(true)
    await client.waitFor('initialized')
    await client.request('launch', { program: 'x' })
    expect(await client.waitFor('output')).toMatchObject({ output: 'ßtarted → by process 2\n' })
    expect(await client.waitFor('stopped')).toMatchObject({ reason: 'entry', threadId: 5 })
    expect(await client.request('threads')).toEqual({ threads: [{ id: 5, name: 'five' }] })
    await expect(client.request('evaluate', { expression: 'x' })).rejects.toMatchObject({ message: 'no x in here' })
    await expect(client.request('dance' as Dap.Command)).rejects.toMatchObject({ code: 'dap.request_failed' })
    await client.request('disconnect')
    await client.waitFor('terminated')
  } finally {
    client.close()
    await new Promise((resolve) => server.close(resolve))
  }
})

/** An adapter as their library makes it. */
class TheirSession extends LoggingDebugSession {
  protected override initializeRequest(response: DebugProtocol.InitializeResponse): void {
    this.sendResponse({ ...response, body: { supportsSetVariable: true } } as DebugProtocol.InitializeResponse)
    this.sendEvent(new InitializedEvent())
  }

  protected override launchRequest(response: DebugProtocol.LaunchResponse): void {
    this.sendResponse(response)
    this.runInTerminalRequest({ cwd: '/', args: ['a', 'b'] }, 10_000, (answer) => {
      const { processId } = answer.body as DebugProtocol.RunInTerminalResponse['body']
      this.sendEvent(new OutputEvent(`ßtarted → by process ${processId}\n`))
      this.sendEvent(new StoppedEvent('entry', 5))
    })
  }

  protected override threadsRequest(response: DebugProtocol.ThreadsResponse): void {
    this.sendResponse({ ...response, body: { threads: [new Thread(5, 'five')] } } as DebugProtocol.ThreadsResponse)
  }

  protected override evaluateRequest(response: DebugProtocol.EvaluateResponse, args: DebugProtocol.EvaluateArguments): void {
    this.sendErrorResponse(response, { id: 3, format: 'no {what} in here', variables: { what: args.expression } })
  }

  protected override disconnectRequest(response: DebugProtocol.DisconnectResponse): void {
    this.sendResponse(response)
    this.sendEvent(new TerminatedEvent())
  }
}
