import { spawnSync } from 'node:child_process'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { COMMAND_MS, Home } from '../support/home.ts'
import { Screen } from '../support/screen.ts'

let home: Home
beforeAll(() => {
  home = new Home()
})
afterAll(() => home.dispose(), COMMAND_MS)

describe('repl from a pipe', { timeout: COMMAND_MS * 2 }, () => {
  it('executes complete inputs, of one line or several, in one namespace', async () => {
    const { code, stdout, stderr } = await home.run(
      ['repl'],
      'a = 20\nfunction f()\n  return a * 2\nend\nf() + 2\n:lang js\nconst b = [1,\n 2]\nb.length\n',
    )
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe('42\njavascript\n2\n')
  })

  it('goes on after errors, and fails in the end', async () => {
    const { code, stdout, stderr } = await home.run(['repl'], 'error("one")\n:nonsense\nprint("two")\n')
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'two\n' })
    expect(stderr).toContain('one')
    expect(stderr).toContain('unknown command :nonsense')
  })

  it('executes what is incomplete at the end of the input', async () => {
    const { code, stderr } = await home.run(['repl'], 'for i = 1, 3 do\n')
    expect(code).toBe(1)
    expect(stderr).toContain("'end' expected")
  })

  it('has commands for the kernel and for files', async () => {
    const file = `${home.directory}/saved.lua`
    const first = await home.run(
      ['repl'],
      `saved_value = 7\n:save ${file}\n:who\n:kernel\n:doc print\n:restart\nprint(saved_value)\n:load ${file}\nprint(saved_value)\n:quit\nprint("not reached")\n`,
    )
    expect(first.stderr).toBe('')
    expect(first.stdout).toContain('wrote 1 input to')
    expect(first.stdout).toMatch(/saved_value +integer +7/)
    expect(first.stdout).toMatch(/kernel "default" .* process \d+/)
    expect(first.stdout).toMatch(/fresh namespaces\nnil\n7\n$/)
  })

  it('shows what callbacks write late, and nothing of other clients', async () => {
    const repl = home.start(
      ['repl', '--lang', 'js'],
      'setTimeout(() => console.log("la" + "te"), 200); 0\nawait new Promise((done) => setTimeout(done, 1500))\n',
    )
    await home.run(['exec', '--lang', 'js', 'console.log("foreign")'])
    const { stdout } = await repl.result
    expect(stdout).toContain('late\n')
    expect(stdout).not.toContain('foreign')
  })
})

const tmux = spawnSync('tmux', ['-V']).status === 0
if (!tmux) console.log('skipped: the prompt at a terminal needs tmux')

describe.skipIf(!tmux)('repl at a terminal', { timeout: COMMAND_MS * 2 }, () => {
  const screens: Screen[] = []
  afterEach(() => {
    for (const screen of screens.splice(0)) screen.close()
  })
  const open = async (...args: string[]): Promise<Screen> => {
    const screen = new Screen(home, ['repl', ...args])
    screens.push(screen)
    await screen.shows(/(lua|js|ts)> $/)
    return screen
  }

  it('edits inputs of several lines, and finds them again in the history', async () => {
    const prompt = await open()
    await prompt.line('for i = 1, 2 do')
    await prompt.shows(/…\s*$/)
    await prompt.line('print("row " .. i)')
    await prompt.line('end')
    await prompt.shows(/row 1\nrow 2\nlua> $/)
    prompt.key('C-r')
    prompt.type('row')
    await prompt.shows(/\(search "row"\) for i = 1, 2 do/)
    prompt.key('Enter')
    await prompt.shows(/row 2\n[\s\S]*row 1\nrow 2\nlua> $/)
    await prompt.line(':quit')
    await prompt.ended()

    const later = await open()
    later.key('Up')
    await later.shows(/:quit$/)
    later.key('Up')
    await later.shows(/lua> for i = 1, 2 do\n[\s\S]*end$/)
  })

  it('completes, alone and from a list', async () => {
    const prompt = await open()
    prompt.type('colle')
    prompt.key('Tab')
    await prompt.shows(/lua> collectgarbage$/)
    prompt.key('C-c')
    await prompt.shows(/lua> $/)
    prompt.type('string.f')
    prompt.key('Tab')
    await prompt.shows(/find\s+.*format[\s\S]*lua> string\.f/)
  })

  it('interrupts what runs with Ctrl-C and keeps what was there; a second one leaves it running', async () => {
    const prompt = await open()
    await prompt.line('kept = 5')
    await prompt.line('print("on") while true do end')
    await prompt.shows(/^on$/m)
    prompt.key('C-c')
    await prompt.shows(/nterrupted[\s\S]*lua> $/)
    await prompt.line('kept + 1')
    await prompt.shows(/6\nlua> $/)
    prompt.key('C-c')
    await prompt.shows(/:quit leaves/)
    prompt.key('C-d')
    await prompt.ended()
  })

  it('asks for input of scripts, hides passwords, and takes typing for late output aside', async () => {
    const prompt = await open('--lang', 'js')
    await prompt.line('const who = await input("name? "); "hello " + who')
    await prompt.shows(/name\? $/)
    await prompt.line('Ada')
    await prompt.shows(/'?hello Ada'?\njs> $/)
    await prompt.line('(await input("secret? ", { password: true })).length')
    await prompt.shows(/secret\? $/)
    await prompt.line('tiger')
    await prompt.shows(/secret\? \n5\njs> $/)
    await prompt.line('setTimeout(() => console.log("tick"), 700); 0')
    await prompt.shows(/0\njs> $/)
    prompt.type('1 + ')
    await prompt.shows(/tick\njs> 1 \+ ?$/)
    await prompt.line('2')
    await prompt.shows(/3\njs> $/)
  })

  it('says when it waits for code of another client, and stops that on request', async () => {
    const prompt = await open()
    const other = home.start(['exec', 'print("on") while true do end'])
    await other.shows('on')
    await prompt.line('print("mine")')
    await prompt.shows(/waiting for other code to finish/)
    prompt.key('C-c')
    await prompt.shows(/lua> $/)
    expect(other.child.exitCode).toBeNull()
    await prompt.line(':interrupt')
    expect((await other.result).code).toBe(130)
    await prompt.line('print("free")')
    await prompt.shows(/free\nlua> $/)
  })

  it('starts a new kernel after the old one died', async () => {
    const prompt = await open()
    process.kill(await home.kernelPid(), 'SIGKILL')
    await prompt.line('print("after")')
    await prompt.shows(/after\nlua> $|died[\s\S]*lua> $/)
    await prompt.line('print("again")')
    await prompt.shows(/again\nlua> $/)
  })
})
