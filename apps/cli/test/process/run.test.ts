import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { COMMAND_MS, Home } from '../support/home.ts'

let home: Home
beforeAll(() => {
  home = new Home()
})
afterAll(() => home.dispose(), COMMAND_MS)

describe('run', { timeout: COMMAND_MS * 2 }, () => {
  it('passes arguments and output through, byte for byte', async () => {
    const script = home.file('a dir é/hello.lua', 'io.write("a\\0b\\r\\n", Args[1], "|", Args[2], "\\nno end")\nio.stderr:write("err")')
    expect(await home.run(['run', script, 'x y', '--', '--flag'])).toEqual({ code: 0, stdout: 'a\0b\r\nx y|--flag\nno end', stderr: 'err' })
  })

  it('runs TypeScript with the working directory of the command', async () => {
    const script = home.file('cwd.ts', 'const dir: string = process.cwd()\nconsole.log(dir)')
    expect(await home.run(['run', script])).toMatchObject({ code: 0, stdout: `${home.directory}\n` })
  })

  it('gives each run a namespace of its own, and --shared the common one', async () => {
    const set = home.file('set.lua', 'seen = (seen or 0) + 1\nprint(seen)')
    for (const _ of [1, 2]) expect((await home.run(['run', set])).stdout).toBe('1\n')
    for (const expected of ['1\n', '2\n']) expect((await home.run(['run', '--shared', set])).stdout).toBe(expected)
    expect((await home.run(['exec', 'return seen'])).stdout).toBe('2\n')
  })

  it('shows where a script failed, and fails', async () => {
    const script = home.file('bad.ts', 'const a: number = 1\nfunction f(): never {\n  throw new RangeError("too far")\n}\nf()\n')
    const { code, stdout, stderr } = await home.run(['run', script])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('RangeError: too far')
    expect(stderr).toContain(`${script}:3`)
    expect(stderr).toMatch(/> 3 \| {3}throw new RangeError/)
  })

  it.each([
    ['exit.lua', 'print("out")\nos.exit(7)'],
    ['exit.js', 'console.log("out")\nprocess.exit(7)'],
  ])('ends as %s says', async (name, code) => {
    expect(await home.run(['run', home.file(name, code)])).toMatchObject({ code: 7, stdout: 'out\n' })
  })

  it('reads lines of a script from stdin, and tells their end', async () => {
    const script = home.file('read.lua', 'print(io.read()) print(io.read()) print(io.read())')
    expect((await home.run(['run', script], 'one\ntwo')).stdout).toBe('one\ntwo\nnil\n')
  })

  it('shows documentation that code asks for', async () => {
    const { code, stdout } = await home.run(['exec', 'State.get?'])
    expect(code).toBe(0)
    expect(stdout).toContain('State.get(key: string')
    const events = (await home.run(['exec', '--json', 'State.get?'])).stdout.trim().split('\n')
    expect(events.map((line) => (JSON.parse(line) as { type: string }).type)).toEqual(['start', 'page', 'end'])
  })

  it('takes the script itself from stdin', async () => {
    expect(await home.run(['run', '-', '--lang', 'js'], 'console.log(6 * 7)')).toMatchObject({ code: 0, stdout: '42\n' })
    expect((await home.run(['run', '-'], 'x')).code).toBe(2)
  })

  it('tells events as JSON, one a line', async () => {
    const script = home.file('events.js', 'console.log("hi")\nconsole.error("oh")\nthrow new Error("no")')
    const { code, stdout } = await home.run(['run', '--json', script])
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(code).toBe(1)
    expect(events[0]).toMatchObject({ type: 'start', kernel: { id: 'default' } })
    expect(events.filter((event) => event['type'] === 'stream')).toEqual([
      { type: 'stream', name: 'stdout', text: 'hi\n' },
      { type: 'stream', name: 'stderr', text: 'oh\n' },
    ])
    expect(events.find((event) => event['type'] === 'error')).toMatchObject({ ename: 'Error', evalue: 'no' })
    expect(events.at(-1)).toEqual({ type: 'end', status: 'error', exitCode: 1 })
  })

  it('is interrupted by Ctrl-C, also while another run goes on', async () => {
    const script = home.file('loop.lua', 'print("on") while true do end')
    const [first, second] = [home.start(['run', script]), home.start(['run', script])]
    await Promise.all([first.shows('on'), second.shows('on')])
    first.child.kill('SIGINT')
    expect((await first.result).code).toBe(130)
    expect(second.child.exitCode).toBeNull()
    second.child.kill('SIGTERM')
    expect((await second.result).code).toBe(143)
    const { stdout } = await home.run(['kernel', 'status', '--json'])
    expect((JSON.parse(stdout) as { executions: unknown[] }).executions).toEqual([])
  })

  it('stops a script whose reader went away', async () => {
    const script = home.file('endless.js', 'let n = 0\nfor (;;) console.log("line", n++)')
    const { child, shows, result } = home.start(['run', script])
    await shows('line 2\n')
    child.stdout?.destroy()
    expect(await result).toMatchObject({ code: 141, stderr: '' })
  })

  it('ends at its time-out', async () => {
    expect((await home.run(['exec', '--timeout', '0.3', '--lang', 'js', 'for (;;);'])).code).toBe(124)
  })

  it.each([
    [['run', 'missing.lua'], 2, 'there is no such file'],
    [['run', '.'], 2, 'it is a directory'],
    [['run', '--lang', 'lua', '.'], 2, 'it is a directory'],
    [['run', 'x.py'], 2, '--lang lua'],
  ])('explains %j', async (args, code, text) => {
    home.file('x.py', '')
    const result = await home.run(args)
    expect(result.code).toBe(code)
    expect(result.stderr).toContain(text)
  })
})

describe('exec', { timeout: COMMAND_MS * 2 }, () => {
  it('prints the value alone', async () => {
    expect(await home.run(['exec', 'return 6 * 7'])).toEqual({ code: 0, stdout: '42\n', stderr: '' })
    expect(await home.run(['exec', '--lang', 'ts', 'const n: number = 6; n * 7'])).toEqual({ code: 0, stdout: '42\n', stderr: '' })
    expect(await home.run(['exec', 'nothing = 1'])).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(await home.run(['exec', '-', '--lang', 'js'], '"from " + "stdin"')).toMatchObject({
      stdout: expect.stringContaining('from stdin'),
    })
  })

  it('keeps what it defines, also after an interrupt of an endless loop', async () => {
    await home.run(['exec', 'kept = "still here"'])
    const loop = home.start(['exec', 'print("on") while true do end'])
    await loop.shows('on')
    expect((await home.run(['run', home.file('beside.lua', 'print("beside")')])).stdout).toBe('beside\n')
    expect(await home.run(['kernel', 'interrupt'])).toMatchObject({ code: 0, stdout: 'interrupted\n' })
    expect(await home.run(['kernel', 'interrupt'])).toMatchObject({ code: 0, stdout: 'nothing was running\n' })
    expect((await loop.result).code).toBe(130)
    expect((await home.run(['exec', 'return kept'])).stdout).toBe('still here\n')
  })

  it('shows on request what passes between it and the kernel', async () => {
    const { stdout, stderr } = await home.run(['exec', '--trace', 'jupyter', 'return 1'])
    expect(stdout).toBe('1\n')
    expect(stderr).toMatch(/→ shell execute_request/)
    expect(stderr).toMatch(/← shell execute_reply/)
  })

  it('shows there nothing of what is typed, which may be a password', async () => {
    const code = 'return #input("password: ", { password = true })'
    const { stdout, stderr } = await home.run(['exec', '--trace', 'jupyter', code], 'open sesame\n')
    expect(stdout).toBe('11\n')
    expect(stderr).toMatch(/→ stdin input_reply/)
    expect(stderr).not.toContain('sesame')
  })
})
