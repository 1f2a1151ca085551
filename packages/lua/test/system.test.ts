import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Access } from '../src/index.ts'
import { newState } from './state.ts'

let folder: string

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'lua-test-')))
})

afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

const full = (options = {}) => newState({ policy: 'full', cwd: folder, ...options })

describe('files', () => {
  it('are written, read, appended, sought and updated', () => {
    const { vm } = full()
    const code = `
      local f = assert(io.open("a.txt", "w"))
      f:write("one\\n", 2, " ", 2.5, "\\nthree")
      f:close()
      f = io.open("a.txt", "a") f:write("\\nfour\\n") f:close()
      f = io.open("a.txt", "r+") f:seek("set", 0) f:write("ONE") f:seek("end") f:write("five") f:close()
      local lines = {}
      for line in io.lines("a.txt") do lines[#lines + 1] = line end
      f = io.open("a.txt", "rb")
      local first, n, n2, size = f:read("l"), f:read("n"), f:read("n"), f:seek("end")
      f:close()
      return lines, first, n, n2, size, io.type(f)`
    expect(vm.execute(code)).toEqual([['ONE', '2 2.5', 'three', 'four', 'five'], 'ONE', 2, 2.5, 25, 'closed file'])
    expect(readFileSync(join(folder, 'a.txt'), 'utf8')).toBe('ONE\n2 2.5\nthree\nfour\nfive')
  })

  it('hold any bytes, also large', () => {
    const { vm } = full()
    const code = `
      local data = string.rep(string.char(0, 255, 10, 13, 200), 300000)
      local f = io.open("b.bin", "wb") f:write(data) f:close()
      f = io.open("b.bin", "rb") local back = f:read("a") f:close()
      return back == data, #back`
    expect(vm.execute(code)).toEqual([true, 1500000])
  })

  it('fail with the usual messages and numbers', () => {
    const { vm } = full()
    mkdirSync(join(folder, 'd'))
    writeFileSync(join(folder, 'd/x'), '')
    expect(vm.execute('return io.open("missing/file")')).toEqual([undefined, 'missing/file: No such file or directory', 2])
    expect(vm.execute('return io.open("")')).toEqual([undefined, ': No such file or directory', 2])
    expect(vm.execute('return io.open("d", "w")')).toEqual([undefined, 'd: Is a directory', 21])
    expect(vm.execute('return select(3, io.open("d"):read("a"))')).toEqual([21])
    expect(vm.execute('return os.remove("missing")')).toEqual([undefined, 'missing: No such file or directory', 2])
    expect(vm.execute('return select(3, os.remove("d"))')).toEqual([39])
    expect(vm.execute('return select(3, io.open("d/x/y"))')).toEqual([20])
    expect(() => vm.execute('io.lines("missing")', '=cell')).toThrow("cannot open file 'missing' (No such file or directory)")
    expect(() => vm.execute('io.open("x", "z")')).toThrow('invalid mode')
  })

  it('are renamed, removed and made temporary', () => {
    const { vm } = full()
    const code = `
      io.open("a", "w"):close()
      local ok = os.rename("a", "b")
      local name = os.tmpname()
      local f = io.tmpfile() f:write("x") f:seek("set") local x = f:read("a") f:close()
      return ok, io.open("a") == nil, os.remove("b"), x, name, os.remove(name)`
    const [renamed, gone, removed, x, name, removedName] = vm.execute(code)
    expect([renamed, gone, removed, x, removedName]).toEqual([true, true, true, 'x', true])
    expect(existsSync(String(name))).toBe(false)
  })

  it('follow the current directory', () => {
    const { vm } = full()
    mkdirSync(join(folder, 'sub'))
    writeFileSync(join(folder, 'sub/here'), 'found')
    vm.system.cwd = join(folder, 'sub')
    expect(vm.execute('return io.open("here"):read("a")')).toEqual(['found'])
  })

  it('can be required and run, with real names in errors', () => {
    const { vm } = full()
    writeFileSync(join(folder, 'module.lua'), 'local M = {...}\nfunction M.fail() error("here") end\nreturn M')
    writeFileSync(join(folder, 'script.lua'), '#!/usr/bin/lua\nreturn 5')
    mkdirSync(join(folder, 'package'))
    writeFileSync(join(folder, 'package/init.lua'), 'return "init"')
    vm.execute(`package.path = "${folder}/?.lua;${folder}/?/init.lua"`)
    expect(vm.execute('local m = require "module" return m[1], m[2], require "module" == m, require "package.init"')).toEqual([
      'module',
      join(folder, 'module.lua'),
      true,
      'init',
      join(folder, 'package/init.lua'),
    ])
    expect(() => vm.execute('require("module").fail()')).toThrow(`${join(folder, 'module.lua')}:2: here`)
    expect(vm.execute('return dofile("script.lua"), loadfile("script.lua")()')).toEqual([5, 5])
    expect(() => vm.execute('require "nothing"')).toThrow("module 'nothing' not found")
  })

  it('that a script left open are complete after dispose', () => {
    const { vm } = full()
    vm.execute('f = io.open("open.txt", "w") f:write("kept")')
    vm.dispose()
    expect(readFileSync(join(folder, 'open.txt'), 'utf8')).toBe('kept')
  })
})

describe('policy', () => {
  const attempt = `
    local function code(f, ...) return select(3, f(...)) or "ok" end
    return code(io.open, "r.txt"), code(io.open, "w.txt", "w"), code(io.open, "r.txt", "r+"), code(os.remove, "r.txt"), code(os.rename, "r.txt", "q"),
      code(io.popen, "true"), os.execute(), pcall(os.tmpname), code(io.tmpfile)`

  it.each([
    ['none', [13, 13, 13, 13, 13, 13, false, false]],
    ['read-only', ['ok', 13, 13, 13, 13, 13, false, false]],
  ] as const)('%s', (policy, outcome) => {
    writeFileSync(join(folder, 'r.txt'), 'x')
    const { vm } = newState({ policy, cwd: folder })
    expect(vm.execute(attempt).slice(0, outcome.length)).toEqual(outcome)
    expect(vm.execute('return select(2, os.execute("true"))')).not.toEqual(['exit'])
    expect(readFileSync(join(folder, 'r.txt'), 'utf8')).toBe('x')
    expect(existsSync(join(folder, 'w.txt'))).toBe(false)
  })

  it('is none by default', () => {
    expect(newState().vm.execute('return io.open("/etc/hostname")')).toEqual([undefined, '/etc/hostname: Permission denied', 13])
  })

  it('can be a function, which sees absolute paths', () => {
    const asked: Access[] = []
    const policy = (access: Access): boolean => {
      asked.push(access)
      return access.kind !== 'execute' && access.path.startsWith(`${folder}/`)
    }
    const { vm } = newState({ policy, cwd: folder })
    expect(vm.execute('return io.open("sub/../x", "w") ~= nil, io.open("../x") == nil, os.execute("true")')).toEqual([
      true,
      true,
      undefined,
      'Permission denied',
      13,
    ])
    expect(asked).toEqual([
      { kind: 'write', path: join(folder, 'x') },
      { kind: 'read', path: join(tmpdir(), 'x') },
      { kind: 'execute', command: 'true' },
    ])
  })

  it('can change between calls', () => {
    writeFileSync(join(folder, 'x'), '')
    const { vm } = newState({ policy: 'none', cwd: folder })
    expect(vm.execute('return io.open("x") == nil')).toEqual([true])
    vm.system.policy = 'read-only'
    expect(vm.execute('return io.open("x") == nil')).toEqual([false])
  })
})

describe('processes', () => {
  it('give output, status and take input', () => {
    const { vm, stdout, stderr } = full({ env: { PATH: process.env['PATH'] ?? '', WORD: 'hello' } })
    expect(vm.execute('local p = io.popen("echo $WORD; pwd; exit 3") local t = p:read("a") return t, p:close()')).toEqual([
      `hello\n${folder}\n`,
      undefined,
      'exit',
      3,
    ])
    expect(vm.execute('local p = io.popen("cat > in.txt", "w") p:write("typed") return p:close()')).toEqual([true, 'exit', 0])
    expect(readFileSync(join(folder, 'in.txt'), 'utf8')).toBe('typed')
    expect(vm.execute('print("first") return os.execute("echo second; echo oops >&2; exit 2")')).toEqual([undefined, 'exit', 2])
    expect(stdout()).toBe('first\nsecond\n')
    expect(stderr()).toBe('oops\n')
    expect(vm.execute('return os.execute("true"), os.execute()')).toEqual([true, true])
  })

  it('run through the given function', () => {
    const run = (command: string) => ({ stdout: Buffer.from(`ran ${command}`), stderr: Buffer.alloc(0), status: 0 })
    expect(full({ run }).vm.execute('return io.popen("x"):read("a")')).toEqual(['ran x'])
  })
})

describe('environment and time', () => {
  it('shows only the given variables', () => {
    const { vm } = newState({ env: { A: 'ä', EMPTY: '', LONG: 'x'.repeat(10000) } })
    expect(vm.execute('return os.getenv("A"), os.getenv("EMPTY"), os.getenv("PATH"), os.getenv("toString"), #os.getenv("LONG")')).toEqual([
      'ä',
      '',
      undefined,
      undefined,
      10000,
    ])
  })

  it.each([
    ['UTC', '2024-07-01 12:00:00', 1719835200],
    ['America/New_York', '2024-07-01 08:00:00', 1719835200],
    ['America/New_York', '2024-01-01 07:00:00', 1704110400],
    ['Asia/Kolkata', '2024-01-01 17:30:00', 1704110400],
  ])('keeps the time zone %s', (timeZone, text, seconds) => {
    const { vm } = newState({ timeZone })
    expect(vm.execute(`return os.date("%Y-%m-%d %H:%M:%S", ${seconds}), os.date("!%H:%M", ${seconds})`)).toEqual([text, '12:00'])
    expect(vm.execute(`return os.time(os.date("*t", ${seconds}))`)).toEqual([seconds])
  })

  it('counts processor time, not waiting', () => {
    const { vm } = newState({ policy: 'full' })
    const [waited] = vm.execute('local start = os.clock() os.execute("sleep 1") return os.clock() - start') as [number]
    expect(waited).toBeLessThan(0.7)
    const [worked] = vm.execute('local start = os.clock() for i = 1, 3000000 do end return os.clock() - start') as [number]
    expect(worked).toBeGreaterThan(0)
  })

  it('has clocks and one locale', () => {
    const { vm } = newState()
    const [now, cpu] = vm.execute('return os.time(), os.clock()') as [number, number]
    expect(Math.abs(now - Date.now() / 1000)).toBeLessThan(60)
    expect(cpu).toBeGreaterThan(0)
    expect(vm.execute('return os.setlocale(), os.setlocale("C"), os.setlocale("pt_BR")')).toEqual(['C', 'C', undefined])
  })
})

describe('standard input', () => {
  it('asks for a line when it has none, after showing what was printed', () => {
    const lines = ['first\n', '12 3.5\n', 'rest\nof it\n']
    const seen: string[] = []
    let out = ''
    const { vm } = newState({
      stdout: (bytes) => {
        out += Buffer.from(bytes).toString()
      },
      input: () => {
        seen.push(out)
        return lines.shift()
      },
    })
    expect(
      vm.execute(
        'io.write("name? ") local a = io.read() io.write("numbers? ") local b, c = io.read("n", "n") return a, b, c, io.read("L"), io.read("a"), io.read()',
      ),
    ).toEqual(['first', 12, 3.5, '\n', 'rest\nof it\n', undefined])
    expect(seen[0]).toBe('name? ')
    expect(seen[1]).toBe('name? numbers? ')
  })

  it('is empty by default', () => {
    expect(newState().vm.execute('return io.read(), io.read("a"), io.read(0)')).toEqual([undefined, '', undefined])
  })

  it('asks again after an end of input', () => {
    const lines: (string | undefined)[] = [undefined, 'later\n']
    const { vm } = newState({ input: () => lines.shift() })
    expect(vm.execute('return io.read()')).toEqual([undefined])
    expect(vm.execute('return io.read()')).toEqual(['later'])
  })

  it('ends the call with what the callback throws', () => {
    const { vm } = newState({
      input: () => {
        throw new Error('input is not allowed')
      },
    })
    expect(() => vm.execute('while true do pcall(io.read) end')).toThrow('input is not allowed')
    expect(vm.execute('return 1')).toEqual([1])
  })
})
