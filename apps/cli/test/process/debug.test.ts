import { spawnSync } from 'node:child_process'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { COMMAND_MS, Home, type Result } from '../support/home.ts'
import { Screen } from '../support/screen.ts'

let home: Home
let sums: string
beforeAll(() => {
  home = new Home()
  sums = home.file(
    'sums.lua',
    `local total = 0
local function add(a, b)
  local sum = a + b
  return sum
end

local names = { first = "ä→", list = { 1, 2 } }
for i = 1, 4 do
  total = add(total, i)
  print("total", i, total)
end
os.exit(7)
`,
  )
})
afterAll(() => home.dispose(), COMMAND_MS)

const debug = (commands: string, ...args: string[]): Promise<Result> => home.run(['debug', ...args], commands)

describe('llmspell debug from a pipe', { timeout: COMMAND_MS * 2 }, () => {
  it('stops on the first line, then where it is told; the exit code is that of the script', async () => {
    const { code, stdout, stderr } = await debug('break 9 if i == 3\nrun\nlocals\nstep\nbt\nfinish\nnext\ndelete\nc\n', sums)
    expect(stderr).toBe('')
    expect(code).toBe(7)
    expect(stdout).toMatch(/^entry, .* at sums\.lua:1\n> 1 \| local total/m)
    expect(stdout).toContain('breakpoint 1, sums.lua:9, if i == 3\n')
    expect(stdout).toMatch(/│ total\t2\t3\nbreakpoint 1, .* at sums\.lua:9\n/)
    expect(stdout).toMatch(/^total = 3\n/m)
    expect(stdout).toMatch(/^i = 3\n/m)
    expect(stdout).toMatch(/^add at sums\.lua:3\n/m)
    expect(stdout).toMatch(/^> #0 add at sums\.lua:3\n {2}#1 .* at sums\.lua:9\n/m)
    expect(stdout).toMatch(/│ total\t4\t10\nthe script has ended with exit code 7\n$/)
  })

  it('shows and changes data', async () => {
    const { code, stdout, stderr } = await debug(
      'b 9\nr\np names\np/2 names\nset total = 100\np total\nset names.first = "x"\np names.first\ndisplay total * 2\nn\nundisplay 1\nd\nc\n',
      sums,
    )
    expect(stderr).toBe('')
    expect(code).toBe(7)
    expect(stdout).toMatch(/ {2}first = "ä→"\n {2}list = /)
    expect(stdout).toMatch(/ {2}list = .*\n {4}\[1\] = 1\n {4}\[2\] = 2\n/)
    expect(stdout).toContain('total = 100\n100\n')
    expect(stdout).toContain('"x"\n')
    expect(stdout).toContain('1: total * 2 = 200\n')
    expect(stdout).toContain('│ total\t1\t101\n')
  })

  it('counts hits, logs, disables and stops once', async () => {
    const { code, stdout, stderr } = await debug(
      'b 9\nignore 1 2\nlogpoint 10 at {i}: {total}\nrun\np i\ndisable 1\ntbreak 10\nc\np i\nc\n',
      sums,
    )
    expect(stderr).toBe('')
    expect(code).toBe(7)
    expect(stdout).toMatch(/breakpoint 1, sums\.lua:9, hit > 2\n/)
    expect(stdout).toMatch(/at 1: 1\n[\s\S]*at 2: 3\n[\s\S]*breakpoint 1, .* at sums\.lua:9\n[\s\S]*\n3\n/)
    expect(stdout).toMatch(/breakpoint 3, .* at sums\.lua:10\n[\s\S]*\n3\n[\s\S]*ended with exit code 7/)
  })

  it('shows the source, and what follows', async () => {
    const long = home.file('long.lua', Array.from({ length: 30 }, (_, index) => `local v${index + 1} = ${index + 1}\n`).join(''))
    const { stdout, stderr } = await debug('until 10\nlist\nlist\nlist .\nlist 3\nlist long.lua:29\nlist\nquit\n', long)
    expect(stderr).toContain('there are no more lines')
    const shown = stdout
      .slice(stdout.indexOf('    5 | '))
      .split('\n')
      .flatMap((line) => /^[ ●]([ >]) +(\d+) \| local/.exec(line)?.slice(1, 3).join('').trim() ?? [])
    const range = (first: number, last: number): string[] =>
      Array.from({ length: last - first + 1 }, (_, index) => (first + index === 10 ? '>10' : `${first + index}`))
    expect(shown).toEqual([...range(5, 15), ...range(16, 26), ...range(5, 15), ...range(1, 11), ...range(24, 30)])
  })

  it('says what is wrong and goes on; without a script that has ended, the exit code tells', async () => {
    const { code, stdout, stderr } = await debug(
      'brek 3\nbreak 99\nbreak nowhere.lua:1\np 1 +\np nothing.at.all\nframe 7\ndown\nthread 99\nback\nhit 1 5\nexceptions cuaght\np 6 * 7\nquit\n',
      sums,
    )
    expect(code).toBe(1)
    expect(stderr).toContain('unknown command "brek". Did you mean "break"?')
    expect(stderr).toContain('sums.lua has 12 lines')
    expect(stderr).toContain('there is no file nowhere.lua')
    expect(stderr).toMatch(/near <eof>|unexpected symbol/)
    expect(stderr).toContain("attempt to index a nil value (global 'nothing')")
    expect(stderr).toContain('there is no frame 7')
    expect(stderr).toContain('this is the innermost frame')
    expect(stderr).toContain('there is no history to go back in')
    expect(stderr).toContain('there is no breakpoint 1')
    expect(stderr).toContain('Did you mean "caught"?')
    expect(stdout).toMatch(/\n42\n$/)
  })

  it('starts again, with the breakpoints', async () => {
    const { code, stdout } = await debug('b 9\nrun\nc\nrun\np i\nstart\nd\nc\nrun\n', sums)
    expect(code).toBe(7)
    expect(stdout.match(/^breakpoint 1, .* at sums\.lua:9$/gm)).toHaveLength(3)
    expect(stdout.match(/^entry, .* at sums\.lua:1$/gm)).toHaveLength(2)
    expect(stdout.match(/ended with exit code 7/g)).toHaveLength(2)
  })

  it('does the commands of a file first', async () => {
    const file = home.file('commands', '# where it gets interesting\nb 10\nrun\n\np total\n')
    expect(await home.run(['debug', '--command', file, sums])).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/\n1\n$/),
    })
    expect(await home.run(['debug', '--command', 'nowhere', sums])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('cannot read nowhere'),
    })
  })

  it('stops at errors that nothing catches', async () => {
    const script = home.file('fails.lua', 'local reason = "bad luck"\npcall(error, "caught")\nerror(reason)\n')
    const { code, stdout } = await debug('exceptions on\nrun\np reason\nc\n', script)
    expect(stdout).toMatch(/exception.* at fails\.lua:3\n.*bad luck\n/)
    expect(stdout).toContain('"bad luck"\n')
    expect(stdout).toContain('exit code 1')
    expect(code).toBe(1)
  })

  it('goes back where a history is kept', async () => {
    const { code, stdout, stderr } = await debug('b 10\nrun\nd\nnext\nnext\np i\nback\nback\np i\nback\nc\n', '--record', sums)
    expect(stderr).toBe('')
    expect(code).toBe(7)
    expect(stdout).toMatch(/\n2\n[\s\S]*\n1\n/)
  })

  it('debugs TypeScript by its own lines', async () => {
    const script = home.file(
      'types.ts',
      `interface Point {
  x: number
}

function double(point: Point): number {
  const twice = point.x * 2
  return twice
}
console.log(double({ x: 21 }))
`,
    )
    const { code, stdout, stderr } = await debug('b 7\nrun\np twice\np point\nbt\nc\n', script)
    expect(stderr).toBe('')
    expect(code).toBe(0)
    expect(stdout).toMatch(/breakpoint 1, double at types\.ts:7\n/)
    expect(stdout).toMatch(/\n42\n.*\n {2}x = 21\n/)
    expect(stdout).toContain('│ 42\n')
  })

  it('joins a script that runs, and lets it go on', async () => {
    const script = home.file('endless.lua', 'count = 0\nwhile count < 1e18 do\n  count = count + 1\n  if stop then os.exit(9) end\nend\n')
    const running = home.start(['run', script])
    const attach = (commands: string): Promise<Result> => debug(commands, '--attach', 'endless.lua')
    let first = await attach('')
    for (let tries = 0; first.code !== 0 && tries < 20; tries++) first = await attach('')
    const looked = await attach('pause\np count > 0\nb 3\nc\nquit\n')
    expect(looked.stderr).toBe('')
    expect(looked.stdout).toMatch(/^pause, .* at endless\.lua:\d\n[\s\S]*\ntrue\n[\s\S]*breakpoint 1, .* at endless\.lua:3\n/m)
    expect((await attach('pause\nset stop = true\nquit\n')).code).toBe(0)
    expect((await running.result).code).toBe(9)
  })

  it('tells when the kernel dies', async () => {
    const other = new Home()
    try {
      const script = other.file('kill.ts', 'process.kill(process.ppid, "SIGKILL")\nawait new Promise(() => {})\n')
      const { code, stdout } = await other.run(['debug', script], 'continue\n')
      expect(stdout).toContain('the debugging has ended: the debug adapter closed the connection')
      expect(code).toBe(4)
    } finally {
      await other.dispose()
    }
  })

  it.each([
    [['debug'], 2, 'debug needs FILE, or --attach'],
    [['debug', 'nowhere.lua'], 2, 'there is no such file'],
    [['debug', 'commands.txt'], 2, 'there is no such file'],
    [['debug', '--attach', 'a.lua', 'b.lua'], 2, 'does not take "b.lua"'],
    [['debug', '--attach', 'nothing-runs.lua'], 1, 'nothing-runs.lua'],
  ])('%j is an error', async (args, code, words) => {
    const result = await home.run(args)
    expect(result.code).toBe(code)
    expect(result.stderr).toContain(words)
  })
})

const tmux = spawnSync('tmux', ['-V']).status === 0
if (!tmux) console.log('skipped: the debugger at a terminal needs tmux')

describe.skipIf(!tmux)('llmspell debug at a terminal', { timeout: COMMAND_MS * 2 }, () => {
  const screens: Screen[] = []
  afterEach(() => {
    for (const screen of screens.splice(0)) screen.close()
  })
  const open = async (...args: string[]): Promise<Screen> => {
    const screen = new Screen(home, ['debug', ...args])
    screens.push(screen)
    await screen.shows(/\(debug\) $/)
    return screen
  }

  it('completes, repeats the last step and remembers', async () => {
    const screen = await open(sums)
    screen.type('tbr')
    screen.key('Tab')
    await screen.shows(/\(debug\) tbreak$/)
    await screen.line(' 9')
    await screen.line('run')
    await screen.shows(/sums\.lua:9\n[\s\S]*\(debug\) $/)
    screen.type('print tot')
    screen.key('Tab')
    await screen.shows(/\(debug\) print total$/)
    screen.key('Enter')
    await screen.shows(/print total\n0\n\(debug\) $/)
    await screen.line('next')
    await screen.shows(/sums\.lua:10\n[\s\S]*\(debug\) $/)
    screen.key('Enter')
    await screen.shows(/│ total +1 +1\n.*sums\.lua:8\n[\s\S]*\(debug\) $/)
    await screen.line('quit')
    await screen.ended()

    const later = await open(sums)
    later.key('Up')
    later.key('Up')
    await later.shows(/\(debug\) next$/)
    later.key('C-c')
    later.key('C-d')
    await later.ended()
  })

  it('tells at the prompt what stops meanwhile', async () => {
    const script = home.file('later.lua', 'local n = 0\nwhile n < 1e18 do\n  n = n + 1\n  if going then break end\nend\n')
    const running = home.start(['run', script])
    const screen = new Screen(home, ['debug', '--attach'])
    screens.push(screen)
    await screen.shows(/\(debug\) $/)
    await screen.line(`break ${script}:4`)
    await screen.shows(/breakpoint 1, main chunk at .*later\.lua:4\n[\s\S]*\(debug\) $/)
    await screen.line('set going = true')
    await screen.line('delete')
    await screen.line('quit')
    await screen.ended()
    expect((await running.result).code).toBe(0)
  })

  it('stops a busy script at Ctrl-C', async () => {
    const screen = await open(home.file('busy.lua', 'local n = 0\nwhile true do\n  n = n + 1\nend\n'))
    await screen.line('continue')
    screen.key('C-c')
    await screen.shows(/pause, .*busy\.lua:\d\n[\s\S]*\(debug\) $/)
    await screen.line('print n > 0')
    await screen.shows(/true\n\(debug\) $/)
    await screen.line('quit')
    await screen.ended()
  })
})
