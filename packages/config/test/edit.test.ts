import { chmodSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  checkSettingName,
  configTemplate,
  initConfig,
  setConfigValue,
  showConfig,
  unsetConfigValue,
  validateConfigFile,
} from '../src/edit.ts'
import { loadConfig } from '../src/load.ts'
import { resolvePaths } from '../src/paths.ts'
import { SETTING_NAMES } from '../src/settings.ts'
import { parseToml } from '../src/toml-file.ts'

let dir: string
let file: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'llmspell-config-'))
  file = join(dir, 'config.toml')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const load = () => loadConfig({ paths: resolvePaths({ LLMSPELL_HOME: dir }), env: {} })

describe('setConfigValue', () => {
  it('makes the file, private, with only that setting', async () => {
    await setConfigValue(file, 'kernel.idle_timeout', '90m')
    expect(readFileSync(file, 'utf8')).toBe('[kernel]\nidle_timeout = "1h30m"\n')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect((await load()).config['kernel.idle_timeout']).toBe(5_400_000)
  })

  it('keeps comments, order, mode and a symbolic link', async () => {
    const real = join(dir, 'dotfiles.toml')
    const text = '# my settings\n\n[log] # about logs\nkeep = 2 # a few\n\n# the kernel\n[kernel]\nlanguage = "lua"   # for now\n'
    writeFileSync(real, text)
    chmodSync(real, 0o640)
    symlinkSync(real, file)
    await setConfigValue(file, 'kernel.language', 'typescript')
    expect(readFileSync(file, 'utf8')).toBe(text.replace('"lua"', '"typescript"'))
    expect(lstatSync(file).isSymbolicLink()).toBe(true)
    expect(statSync(real).mode & 0o777).toBe(0o640)
    await setConfigValue(file, 'kernel.parallel_runs', '2')
    await setConfigValue(file, 'state.driver', 'memory')
    const after = readFileSync(file, 'utf8')
    for (const comment of ['# my settings', '# about logs', '# a few', '# the kernel', '# for now']) expect(after).toContain(comment)
    expect((await load()).config).toMatchObject({
      'kernel.language': 'typescript',
      'kernel.parallel_runs': 2,
      'state.driver': 'memory',
      'log.keep': 2,
    })
    expect(readdirSync(dir).sort()).toEqual(['config.toml', 'dotfiles.toml'])
  })

  it('adds to what config init wrote', async () => {
    initConfig(file)
    await setConfigValue(file, 'log.level', 'debug')
    await setConfigValue(file, 'kernel.language', 'javascript')
    const { config } = await load()
    expect([config['log.level'], config['kernel.language']]).toEqual(['debug', 'javascript'])
    expect(readFileSync(file, 'utf8')).toContain('#idle_timeout = "30m"')
  })

  it('writes nothing when the name, the value or the file is wrong', async () => {
    await expect(setConfigValue(file, 'kernel.langauge', 'lua')).rejects.toMatchObject({
      code: 'config.unknown_setting',
      data: { suggestion: 'kernel.language' },
    })
    await expect(setConfigValue(file, 'kernel.language', 'perl')).rejects.toMatchObject({ code: 'config.invalid' })
    expect(readdirSync(dir)).toEqual([])
    writeFileSync(file, '[kernel\n')
    await expect(setConfigValue(file, 'kernel.language', 'lua')).rejects.toMatchObject({ code: 'config.invalid' })
    writeFileSync(file, 'kernel = 1\n')
    await expect(setConfigValue(file, 'kernel.language', 'lua')).rejects.toThrow(/not a section/)
    expect(readFileSync(file, 'utf8')).toBe('kernel = 1\n')
  })
})

describe('unsetConfigValue', () => {
  it('takes one setting away', async () => {
    writeFileSync(file, '[log]\nkeep = 2 # a few\nlevel = "warn"\n')
    expect(await unsetConfigValue(file, 'log.keep')).toBe(true)
    expect(await unsetConfigValue(file, 'log.keep')).toBe(false)
    expect((await load()).config).toMatchObject({ 'log.keep': 3, 'log.level': 'warn' })
  })
})

describe('initConfig', () => {
  it('writes every setting as a comment, so that the file changes nothing', async () => {
    initConfig(file)
    expect(await validateConfigFile(file, {})).toEqual([])
    expect([...(await load()).origins.values()].every(({ layer }) => layer === 'default')).toBe(true)
  })

  it('shows defaults that are valid when the "#" is taken away', async () => {
    writeFileSync(file, configTemplate().replaceAll(/^#(\w+ = )/gm, '$1'))
    const { config, origins } = await load()
    expect(SETTING_NAMES.every((name) => origins.get(name)?.layer === 'user')).toBe(true)
    rmSync(file)
    expect(config).toEqual((await load()).config)
    expect(Object.keys(await parseToml(configTemplate(), file))).toEqual([...new Set(SETTING_NAMES.map((name) => name.split('.')[0]))])
  })

  it('does not overwrite unless told to', () => {
    writeFileSync(file, '# precious')
    expect(() => initConfig(file)).toThrow(expect.objectContaining({ code: 'config.exists' }))
    expect(readFileSync(file, 'utf8')).toBe('# precious')
    initConfig(file, { force: true })
    expect(readFileSync(file, 'utf8')).toContain('[kernel]')
  })
})

describe('checkSettingName', () => {
  it('lists the settings of a group', () => {
    expect(() => checkSettingName('log')).toThrow(
      expect.objectContaining({ code: 'config.unknown_setting', hint: expect.stringContaining('log.level') }),
    )
  })
})

describe('showConfig and validateConfigFile', () => {
  it('tells each value and its line', async () => {
    writeFileSync(file, '\n[log]\nkeep = 2\n')
    const shown = await showConfig(await load())
    expect(shown.map(({ name }) => name)).toEqual(SETTING_NAMES)
    expect(shown.find(({ name }) => name === 'log.keep')).toMatchObject({
      value: 2,
      toml: '2',
      origin: { layer: 'user', source: file },
      line: 3,
    })
    expect(shown.find(({ name }) => name === 'kernel.idle_timeout')).toMatchObject({ toml: '"30m"', origin: { layer: 'default' } })
  })

  it('lists the problems of a file without loading it', async () => {
    writeFileSync(file, 'nope = 1\n')
    expect(await validateConfigFile(file, {})).toEqual([expect.objectContaining({ line: 1, key: 'nope' })])
    writeFileSync(file, '= 1\n')
    expect(await validateConfigFile(file, {})).toEqual([expect.objectContaining({ line: 1, message: expect.stringContaining('TOML') })])
    await expect(validateConfigFile(join(dir, 'gone.toml'), {})).rejects.toMatchObject({ code: 'config.no_file' })
  })
})
