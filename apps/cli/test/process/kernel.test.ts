import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { COMMAND_MS, Home } from '../support/home.ts'

let home: Home
beforeEach(() => {
  home = new Home()
})
afterEach(() => home.dispose(), COMMAND_MS)

const kernels = (): string => join(home.env['LLMSPELL_HOME'] as string, 'run', 'kernels')

describe('a kernel of one’s own', { timeout: COMMAND_MS * 2 }, () => {
  it('is started once by any number of commands at the same time', { timeout: 240_000 }, async () => {
    const script = home.file('hi.lua', 'print("hi " .. Args[1])')
    const results = await Promise.all(Array.from({ length: 64 }, (_, n) => home.run(['run', script, String(n)])))
    for (const [n, result] of results.entries()) expect(result).toEqual({ code: 0, stdout: `hi ${n}\n`, stderr: '' })
    const log = readFileSync(join(home.env['LLMSPELL_HOME'] as string, 'state', 'logs', 'default.log'), 'utf8')
    expect(log.match(/"kernel started"/g)).toHaveLength(1)
    expect(readdirSync(kernels()).filter((name) => name.endsWith('.json'))).toEqual(['default.json'])
  })

  it('outlives who started it, in a session of its own and closed to others', async () => {
    await home.run(['exec', 'x = 1'])
    const pid = await home.kernelPid()
    const [, parent, , session, terminal] = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? []
    expect({ session, terminal }).toEqual({ session: String(pid), terminal: '0' })
    expect(Number(parent)).not.toBe(process.pid)
    expect(statSync(kernels()).mode & 0o777).toBe(0o700)
    for (const name of readdirSync(kernels())) expect(statSync(join(kernels(), name)).mode & 0o777).toBe(0o600)
    expect((await home.run(['exec', 'return x'])).stdout).toBe('1\n')
  })

  it('comes up although who started it was killed meanwhile, and is then the one', async () => {
    const script = home.file('hi.lua', 'print("hi")')
    const first = home.start(['run', script])
    const lock = join(home.env['LLMSPELL_HOME'] as string, 'run', 'start-default.lock')
    while (!existsSync(lock)) await new Promise((resolve) => setTimeout(resolve, 2))
    await new Promise((resolve) => setTimeout(resolve, 60))
    first.child.kill('SIGKILL')
    const results = await Promise.all(Array.from({ length: 6 }, () => home.run(['run', script])))
    for (const result of results) expect(result).toEqual({ code: 0, stdout: 'hi\n', stderr: '' })
    expect(readdirSync(kernels()).filter((name) => name.endsWith('.json'))).toEqual(['default.json'])
  })

  it('is started anew by a command that comes while the old one is ending', async () => {
    await home.run(['exec', 'x = 1'])
    for (let round = 0; round < 3; round++) {
      const stop = home.run(['kernel', 'stop'])
      await new Promise((resolve) => setTimeout(resolve, 40 * round))
      const { code, stderr } = await home.run(['run', home.file('hi.lua', 'print("hi")')])
      // The run may have reached the old kernel, which then tells it that it stops.
      expect([0, 4], stderr).toContain(code)
      expect((await stop).code).toBe(0)
      expect((await home.run(['exec', 'return 1'])).stdout).toBe('1\n')
    }
  })

  it('is found where LLMSPELL_HOME says, also relative to where one stands', async () => {
    home.env['LLMSPELL_HOME'] = 'llmspell'
    expect((await home.run(['exec', 'return 1'])).stdout).toBe('1\n')
    expect((await home.run(['kernel', 'stop'])).code).toBe(0)
  })

  it('is replaced when it was killed, which is said; what State holds is there', async () => {
    await home.run(['exec', 'State.set("n", 41) lost = 1'])
    process.kill(await home.kernelPid(), 'SIGKILL')
    const { stdout, stderr, code } = await home.run(['exec', 'return State.get("n") + 1, lost'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^42/)
    expect(stderr).toMatch(/died; starting a new one/)
  })

  it('that dies during the work ends the command, which says so', async () => {
    const loop = home.start(['exec', 'print("on") while true do end'])
    await loop.shows('on')
    process.kill(await home.kernelPid(), 'SIGKILL')
    const { code, stderr } = await loop.result
    expect(code).toBe(4)
    expect(stderr).toContain('the kernel died')
  })

  it('is not started twice when what was found is an old one’s remains with a number used again', async () => {
    await home.run(['exec', '1'])
    const file = join(kernels(), 'default.json')
    const connection = JSON.parse(readFileSync(file, 'utf8')) as { llmspell: { pid: number } }
    await home.run(['kernel', 'stop'])
    // The same entry, with the pid of a process that runs: this one.
    connection.llmspell.pid = process.pid
    home.file('llmspell/run/kernels/default.json', JSON.stringify(connection))
    expect((await home.run(['exec', 'return 5'])).stdout).toBe('5\n')
  })
})

describe('kernel', { timeout: COMMAND_MS * 2 }, () => {
  it('starts, shows, and stops a daemon, leaving nothing', async () => {
    const started = await home.run(['kernel', 'start', '--daemon', '--id', 'work', '--json'])
    expect(started.code).toBe(0)
    const { id, pid, connectionFile } = JSON.parse(started.stdout) as { id: string; pid: number; connectionFile: string }
    expect(id).toBe('work')
    expect(existsSync(connectionFile)).toBe(true)

    const again = await home.run(['kernel', 'start', '--daemon', '--id', 'work'])
    expect(again.code).toBe(3)
    expect(again.stderr).toContain(`already runs, process ${pid}`)

    expect((await home.run(['kernel', 'status', 'work'])).stdout).toContain('idle')
    expect((await home.run(['exec', '--connect', 'work', 'return 3'])).stdout).toBe('3\n')
    expect((await home.run(['exec', '--connect', connectionFile, 'return 4'])).stdout).toBe('4\n')
    const missing = await home.run(['exec', '--connect', 'wrok', '1'])
    expect(missing.code).toBe(3)
    expect(missing.stderr).toContain('Did you mean "work"?')

    const { kernels: listed } = JSON.parse((await home.run(['kernel', 'list', '--json'])).stdout) as {
      kernels: { id: string; state: string }[]
    }
    expect(listed).toMatchObject([{ id: 'work', state: 'idle', pid }])

    expect((await home.run(['kernel', 'logs', 'work'])).stdout).toContain('kernel started')
    expect(JSON.parse((await home.run(['kernel', 'stop', 'work', '--json'])).stdout)).toEqual({
      stopped: [{ id: 'work', pid, outcome: 'stopped' }],
    })
    expect(readdirSync(kernels())).toEqual([])
    expect(home.processes()).toEqual([])
    expect((await home.run(['kernel', 'stop', 'work'])).code).toBe(3)
  })

  it('tells dead, stopped and busy kernels apart', async () => {
    for (const id of ['dead', 'stopped', 'busy']) expect((await home.run(['kernel', 'start', '--daemon', '--id', id])).code).toBe(0)
    const loop = home.start(['exec', '--connect', 'busy', 'print("on") while true do end'])
    await loop.shows('on')
    const stopped = await home.kernelPid('stopped')
    process.kill(await home.kernelPid('dead'), 'SIGKILL')
    process.kill(stopped, 'SIGSTOP')
    const listed = JSON.parse((await home.run(['kernel', 'list', '--json'])).stdout) as { kernels: { id: string; state: string }[] }
    expect(Object.fromEntries(listed.kernels.map(({ id, state }) => [id, state]))).toEqual({
      dead: 'dead',
      stopped: 'unresponsive',
      busy: 'busy',
    })
    expect((await home.run(['kernel', 'list'])).stdout).not.toContain('dead')
    expect((await home.run(['kernel', 'stop', 'stopped', '--timeout', '1'])).stdout).toContain('killed')
    expect((await home.run(['kernel', 'stop', 'busy'])).code).toBe(0)
    expect((await loop.result).code).toBe(4)
  })

  it('restarts in place: same process, no variables', async () => {
    await home.run(['exec', 'x = 1'])
    const pid = await home.kernelPid()
    expect((await home.run(['kernel', 'restart'])).code).toBe(0)
    expect(await home.kernelPid()).toBe(pid)
    expect((await home.run(['exec', 'print(x)'])).stdout).toBe('nil\n')
  })

  it('reports a port in use to who started it', async () => {
    const port = String(20_000 + (process.pid % 20_000))
    expect((await home.run(['kernel', 'start', '--daemon', '--id', 'a', '--port', port])).code).toBe(0)
    const second = await home.run(['kernel', 'start', '--daemon', '--id', 'b', '--port', port])
    expect(second.code).toBe(3)
    expect(second.stderr).toContain('in use')
    expect((await home.run(['exec', '--connect', `tcp://127.0.0.1:${port}`, 'return 8'])).stdout).toBe('8\n')
  })

  it('runs in the foreground until Ctrl-C', async () => {
    const foreground = home.start(['kernel', 'start', '--id', 'front'])
    await foreground.shows('is ready')
    expect((await home.run(['exec', '--connect', 'front', 'return 2'])).stdout).toBe('2\n')
    foreground.child.kill('SIGINT')
    expect((await foreground.result).code).toBe(0)
    expect(home.processes()).toEqual([])
  })

  it('says why a kernel does not start', async () => {
    home.file('llmspell/config.toml', '[kernel]\nlangauge = "lua"\n')
    const { code, stderr } = await home.run(['exec', '1'])
    expect(code).toBe(5)
    expect(stderr).toContain('config.toml:2')
    expect(stderr).toContain('kernel.language')
  })
})
