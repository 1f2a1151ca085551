import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { COMMAND_MS, Home } from '../support/home.ts'

let home: Home
beforeAll(() => {
  home = new Home()
})
afterAll(() => home.dispose(), COMMAND_MS)

describe('kernelspec', { timeout: COMMAND_MS }, () => {
  it('installs below a prefix with blanks what Jupyter can start, and removes it', async () => {
    const prefix = join(home.directory, 'my prefix')
    expect((await home.run(['kernelspec', 'install', '--prefix', prefix])).code).toBe(0)
    const directory = join(prefix, 'share', 'jupyter', 'kernels')
    expect(readdirSync(directory).sort()).toEqual(['llmspell-javascript', 'llmspell-lua', 'llmspell-typescript'])
    const own = join(directory, 'llmspell-lua')
    expect(readdirSync(own).sort()).toEqual(['kernel.json', 'logo-32x32.png', 'logo-64x64.png', 'logo-svg.svg'])
    const spec = JSON.parse(readFileSync(join(own, 'kernel.json'), 'utf8')) as {
      argv: string[]
      interrupt_mode: string
      display_name: string
    }
    expect(spec).toMatchObject({ interrupt_mode: 'message', display_name: 'Lua 5.4 (llmspell)' })
    expect(spec.argv[0]).toBe(process.execPath)
    expect(existsSync(spec.argv[1] as string)).toBe(true)
    expect(spec.argv.slice(2)).toEqual(['--connection-file', '{connection_file}', '--language', 'lua'])
    for (const size of [32, 64]) {
      const png = readFileSync(join(own, `logo-${size}x${size}.png`))
      expect([png.toString('latin1', 1, 4), png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual(['PNG', size, size])
    }
    expect((await home.run(['kernelspec', 'uninstall', '--prefix', prefix])).code).toBe(0)
    expect(readdirSync(directory)).toEqual([])
  })

  it('lists what Jupyter would find, with what is wrong', async () => {
    await home.run(['kernelspec', 'install', '--user', '--lang', 'ts'])
    const file = join(home.directory, 'jupyter', 'kernels', 'llmspell-typescript', 'kernel.json')
    const list = async (): Promise<unknown> =>
      (JSON.parse((await home.run(['kernelspec', 'list', '--json'])).stdout) as { kernelspecs: unknown }).kernelspecs
    expect(await list()).toMatchObject([{ name: 'llmspell-typescript', problem: null }])
    const spec = JSON.parse(readFileSync(file, 'utf8')) as { argv: string[] }
    spec.argv[0] = '/nowhere/node'
    home.file('jupyter/kernels/llmspell-typescript/kernel.json', JSON.stringify(spec))
    expect(await list()).toMatchObject([{ problem: '/nowhere/node is not there or not executable' }])
  })

  it('leaves kernels of others alone, and refuses two places at once', async () => {
    home.file('jupyter/kernels/llmspell-lua/kernel.json', '{"argv":["x"],"display_name":"theirs","language":"lua"}')
    const foreign = await home.run(['kernelspec', 'install', '--user', '--lang', 'lua'])
    expect(foreign.code).not.toBe(0)
    expect(foreign.stderr).toContain('did not install')
    expect((await home.run(['kernelspec', 'install', '--user', '--sys-prefix'])).code).toBe(2)
  })
})

describe('config', { timeout: COMMAND_MS }, () => {
  it('is written, changed with its comments kept, shown and checked', async () => {
    const file = join(home.env['LLMSPELL_HOME'] as string, 'config.toml')
    expect((await home.run(['config', 'init'])).stdout).toBe(`wrote ${file}\n`)
    expect((await home.run(['config', 'init'])).code).toBe(5)
    expect((await home.run(['config', 'set', 'kernel.language', 'typescript'])).code).toBe(0)
    expect(readFileSync(file, 'utf8')).toContain('# llmspell configuration')
    expect((await home.run(['config', 'get', 'kernel.language'])).stdout).toBe('typescript\n')
    expect((await home.run(['config', 'show'])).stdout).toMatch(/kernel\.language +"typescript" +\S+config\.toml:\d+/)
    expect((await home.run(['config', 'validate'])).code).toBe(0)
    expect((await home.run(['config', 'set', 'kernel.language'])).code).toBe(0)
    expect((await home.run(['config', 'get', 'kernel.language'])).stdout).toBe('lua\n')
  })

  it.each([
    [['config', 'get', 'kernel.langauge'], 'kernel.language'],
    [['config', 'set', 'kernel.idle_timeout', 'soon'], 'kernel.idle_timeout'],
  ])('explains %j', async (args, text) => {
    const { code, stderr } = await home.run(args)
    expect(code).toBe(5)
    expect(stderr).toContain(text)
  })

  it('finds all problems of a file, with their places', async () => {
    const file = home.file('bad.toml', '[kernel]\nlangauge = "lua"\nidle_timeout = true\n')
    const { code, stdout } = await home.run(['config', 'validate', file])
    expect(code).toBe(5)
    expect(stdout).toContain(`${file}:2`)
    expect(stdout).toContain(`${file}:3`)
  })
})

describe('the rest', { timeout: COMMAND_MS * 2 }, () => {
  it('doctor tries everything and leaves nothing', async () => {
    const { stdout } = await home.run(['doctor', '--json'])
    const { checks } = JSON.parse(stdout) as { checks: { name: string; status: string; message: string }[] }
    for (const name of ['Node', 'state', 'kernel', 'lua', 'javascript', 'typescript', 'saved state'])
      expect(checks.find((check) => check.name === name)).toMatchObject({ status: 'ok' })
    expect(home.processes()).toEqual([])
    expect((await home.run(['kernel', 'list'])).stdout).toBe('no kernel is running\n')
  })

  it('doctor names what is broken', async () => {
    home.file(
      'jupyter/kernels/llmspell-javascript/kernel.json',
      '{"argv":["/nowhere/node","x"],"display_name":"J","language":"javascript","metadata":{"llmspell":{}}}',
    )
    const { code, stdout } = await home.run(['doctor'])
    expect(code).toBe(1)
    expect(stdout).toContain('/nowhere/node is not there')
    expect(stdout).toContain('llmspell kernelspec install')
  })

  it('version tells of a running kernel, and starts none', async () => {
    const { stdout } = await home.run(['version', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      node: process.versions.node,
      kernel: null,
    })
    expect(home.processes()).toEqual([])
  })

  it('help loads no native addon and needs no home', async () => {
    const { code, stdout } = await home.run(['--help'])
    expect(code).toBe(0)
    expect(stdout).toContain('llmspell run hello.lua')
  })

  it('errors are JSON when asked for', async () => {
    const { code, stdout } = await home.run(['kernel', 'status', '--json'])
    expect(code).toBe(3)
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'kernel.not_found', hint: expect.any(String) } })
    expect(JSON.parse((await home.run(['run', '--jsno', '--json'])).stdout)).toMatchObject({ error: { code: 'usage.unknown_option' } })
  })

  it('says which Node it needs on an old one', () => {
    const bin = readFileSync(new URL('../../bin/llmspell.js', import.meta.url), 'utf8')
    const old = `Object.defineProperty(process.versions, 'node', { value: '20.11.0' });${bin.replace(/^#!.*/, '')}`
    try {
      execFileSync(process.execPath, ['--input-type=module', '-e', old], { stdio: 'pipe' })
    } catch (error) {
      expect(String((error as { stderr: Buffer }).stderr)).toContain('needs Node.js 22.19')
      expect((error as { status: number }).status).toBe(1)
      return
    }
    throw new Error('it ran')
  })
})
