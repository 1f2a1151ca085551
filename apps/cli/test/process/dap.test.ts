import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { Dap } from '@llmspell/dap'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Adapter, Editor, Listener } from '../support/adapter.ts'
import { COMMAND_MS, Home } from '../support/home.ts'

let home: Home
let loop: string
beforeAll(() => {
  home = new Home()
  loop = home.file('loop.lua', 'local total = 0\nfor i = 1, 3 do\n  total = total + i\n  print("total", total)\nend\nos.exit(7)\n')
})
afterAll(() => home.dispose(), COMMAND_MS)

async function until(what: string, holds: () => boolean): Promise<void> {
  const end = Date.now() + COMMAND_MS
  while (!holds()) {
    if (Date.now() > end) throw new Error(`timed out waiting for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

describe('llmspell dap on stdio', { timeout: COMMAND_MS * 2 }, () => {
  it('starts a kernel, runs a script under the debugger and leaves in good order', async () => {
    const adapter = new Adapter(home)
    const { editor } = adapter
    await editor.begin('launch', { program: loop }, { path: loop, lines: [3] })
    const { threadId = 0, reason } = await editor.stopped()
    expect(reason).toBe('breakpoint')
    const { stackFrames } = await editor.client.request('stackTrace', { threadId })
    expect(stackFrames[0]).toMatchObject({ line: 3, source: { path: loop } })
    await editor.client.request('setBreakpoints', { source: { path: loop }, breakpoints: [] })
    await editor.client.request('continue', { threadId })
    await editor.terminated()
    expect(editor.events.find(({ event }) => event === 'exited')?.body).toEqual({ exitCode: 7 })
    expect(editor.printed('stdout')).toBe('total\t1\ntotal\t3\ntotal\t6\n')
    await editor.client.request('disconnect')
    expect(await adapter.exited).toBe(0)
    expect(editor.count('terminated')).toBe(1)
    expect(adapter.stderr).toBe('')
  })

  it('refuses what it cannot do with words, and goes on', async () => {
    const adapter = new Adapter(home)
    const { client } = adapter.editor
    await client.request('initialize', { adapterID: 'x' })
    await expect(client.request('launch', { program: loop, kernel: 'nowhere' })).rejects.toMatchObject({
      message: expect.stringMatching(/no kernel "nowhere" is running\n.*kernel list/),
    })
    await expect(client.request('launch', { program: join(home.directory, 'missing.lua') })).rejects.toMatchObject({
      message: expect.stringContaining('missing.lua'),
    })
    adapter.child.stdin?.end()
    expect(await adapter.exited).toBe(0)
  })

  it('ends when stdin does, and when it is no Debug Adapter Protocol', async () => {
    expect(await home.run(['dap'])).toMatchObject({ code: 0, stdout: '', stderr: '' })
    const garbage = await home.run(['dap'], 'GET / HTTP/1.1\r\n\r\n')
    expect(garbage).toMatchObject({ code: 1, stdout: '' })
    expect(garbage.stderr).toContain('bad header: this is no header: "GET / HTTP/1.1"')
    const cut = await home.run(['dap'], 'Content-Length: 100\r\n\r\n{')
    expect(cut).toMatchObject({ code: 1, stdout: '' })
    expect(cut.stderr).toContain('in the middle of a message')
  })

  it('lets a script go on whose editor vanished, and attaches to it again', async () => {
    const sign = join(home.directory, 'sign')
    const script = home.file(
      'waits.lua',
      `local going = true\nlocal rounds = 0\nwhile going do\n  rounds = rounds + 1\n  sleep(0.05)\n  if io.open(${JSON.stringify(`${sign}-end`)}) then going = false end\nend\nio.open(${JSON.stringify(sign)}, "w"):write("went on"):close()\n`,
    )
    const first = new Adapter(home)
    await first.editor.begin('launch', { program: script }, { path: script, lines: [4] })
    await first.editor.stopped()
    first.child.kill('SIGKILL')
    const second = new Adapter(home)
    await second.editor.begin('attach', { run: script }, { path: script, lines: [5] })
    const { threadId = 0 } = await second.editor.stopped()
    const { stackFrames } = await second.editor.client.request('stackTrace', { threadId })
    expect(stackFrames[0]).toMatchObject({ line: 5 })
    await second.editor.client.request('disconnect')
    expect(await second.exited).toBe(0)
    expect(second.stderr).toBe('')
    writeFileSync(`${sign}-end`, '')
    await until('the script to write its sign', () => existsSync(sign) && readFileSync(sign, 'utf8') === 'went on')
  })

  it('tells when the kernel dies', async () => {
    const other = new Home()
    try {
      const adapter = new Adapter(other)
      const { editor } = adapter
      const script = other.file('stop.lua', 'local x = 1\nprint(x)\n')
      await editor.begin('launch', { program: script }, { path: script, lines: [2] })
      await editor.stopped()
      process.kill(await other.kernelPid(), 'SIGKILL')
      await editor.terminated()
      expect(editor.printed('important')).toContain('the debugger of the kernel "default" is gone')
      await expect(editor.client.request('threads')).rejects.toMatchObject({ message: expect.stringContaining('is gone') })
      await editor.client.request('disconnect')
      expect(await adapter.exited).toBe(0)
      expect(editor.count('terminated')).toBe(1)
    } finally {
      await other.dispose()
    }
  })

  it('prints the messages on stderr when asked, without tokens', async () => {
    const adapter = new Adapter(home, { LLMSPELL_TRACE: 'dap' })
    const { editor } = adapter
    await editor.begin('launch', { program: loop, noDebug: true })
    await editor.terminated()
    await editor.client.request('disconnect')
    await adapter.exited
    expect(adapter.stderr).toMatch(/dap editor → .*"command":"initialize"/)
    expect(adapter.stderr).toMatch(/dap → kernel .*"command":"launch".*"token":"…"/)
    expect(adapter.stderr).not.toMatch(/"token":"[^…]/)
  })
})

describe('llmspell dap --listen', { timeout: COMMAND_MS * 2 }, () => {
  const listeners: Listener[] = []
  afterEach(async () => {
    for (const listener of listeners.splice(0)) await listener.stop()
  })
  const listen = (target: string, env?: Record<string, string>): Listener => {
    const listener = new Listener(home, target, env)
    listeners.push(listener)
    return listener
  }

  it('takes editors on a port, several at a time, who know the token', async () => {
    const listener = listen('0')
    const { transport, host, port = 0, token } = await listener.address
    expect({ transport, host }).toEqual({ transport: 'tcp', host: '127.0.0.1' })
    const editors = await Promise.all([Editor.connect({ port }), Editor.connect({ port })])
    await Promise.all(
      editors.map(async (editor) => {
        await editor.begin('launch', { program: loop, token }, { path: loop, lines: [4] })
        await editor.stopped()
      }),
    )
    for (const editor of editors) await editor.client.request('disconnect', { terminateDebuggee: true })
    const stranger = await Editor.connect({ port })
    await stranger.client.request('initialize', { adapterID: 'x' })
    for (const wrong of ['', 'x', undefined])
      await expect(stranger.client.request('launch', { program: loop, token: wrong })).rejects.toMatchObject({
        message: expect.stringContaining('the token is missing or wrong'),
      })
    expect((await stranger.client.ended)?.code).toBe('dap.closed')
    expect(await listener.stop()).toBe(0)
  })

  it('takes the token from the environment, and does not tell it', async () => {
    const listener = listen('127.0.0.1:0', { LLMSPELL_DAP_TOKEN: 'of the environment' })
    const { port = 0, token } = await listener.address
    expect(token).toBeUndefined()
    const editor = await Editor.connect({ port })
    await editor.begin('launch', { program: loop, noDebug: true, token: 'of the environment' })
    await editor.terminated()
    editor.client.close()
  })

  it('takes an empty token for none', async () => {
    const { token } = await listen('0', { LLMSPELL_DAP_TOKEN: '' }).address
    expect(token?.length).toBeGreaterThan(40)
  })

  it('outlives garbage and editors that vanish', async () => {
    const listener = listen('0')
    const { port = 0, token } = await listener.address
    await new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'))
      socket.on('close', () => resolve())
      socket.on('error', () => {})
    })
    await until('a word on the garbage', () => listener.stderr.includes('bad header'))
    const vanishing = await Editor.connect({ port })
    await vanishing.client.request('initialize', { adapterID: 'x' })
    vanishing.client.close()
    const editor = await Editor.connect({ port })
    await editor.begin('launch', { program: loop, noDebug: true, token })
    await editor.terminated()
    editor.client.close()
  })

  it('takes editors on a socket that is its owner’s alone, and removes it', async () => {
    const path = join(home.directory, 'dap.sock')
    const listener = listen(path)
    expect(await listener.address).toEqual({ transport: 'unix', path })
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const editor = await Editor.connect({ path })
    await editor.begin('launch', { program: loop, noDebug: true })
    await editor.terminated()
    editor.client.close()

    const second = await home.run(['dap', '--listen', path])
    expect(second.code).toBe(1)
    expect(second.stderr).toContain('something else listens there')

    listener.child.kill('SIGKILL')
    await listener.exited
    expect(existsSync(path)).toBe(true)
    const third = listen('dap.sock')
    expect(await third.address).toEqual({ transport: 'unix', path })
    expect(await third.stop()).toBe(0)
    expect(existsSync(path)).toBe(false)
  })

  it.each([
    ['0.0.0.0:4711', 2, 'listens on 127.0.0.1 only'],
    ['99999', 2, 'is no port'],
    [`/tmp/${'x'.repeat(120)}`, 2, 'at most 107 bytes'],
    ['nowhere/dap.sock', 1, 'no such directory'],
    ['loop.lua', 1, 'is no socket'],
  ])('refuses %s', async (target, code, words) => {
    const result = await home.run(['dap', '--listen', target])
    expect(result).toMatchObject({ code, stdout: '' })
    expect(result.stderr).toContain(words)
  })
})

it('the capabilities say only what the protocol knows', async () => {
  const adapter = new Adapter(home)
  const capabilities = (await adapter.editor.client.request('initialize', { adapterID: 'x' })) as Dap.Capabilities
  expect(capabilities.supportsConfigurationDoneRequest).toBe(true)
  adapter.editor.client.close()
  expect(await adapter.exited).toBe(0)
})
