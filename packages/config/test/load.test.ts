// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the configuration has its own ${…}
import { chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LlmspellError } from '@llmspell/base'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type LoadOptions, loadConfig } from '../src/load.ts'
import { resolvePaths } from '../src/paths.ts'
import type { ConfigProblem } from '../src/problem.ts'
import { defaultConfig } from '../src/settings.ts'

let dir: string
let file: string
let env: Record<string, string>

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'llmspell-config-'))
  env = { LLMSPELL_HOME: dir }
  file = join(dir, 'config.toml')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const load = (options: Partial<LoadOptions> = {}) => loadConfig({ paths: resolvePaths(env), env, ...options })

async function problems(options: Partial<LoadOptions> = {}): Promise<ConfigProblem[]> {
  const error = (await load(options).catch((thrown: unknown) => thrown)) as LlmspellError
  expect(error).toMatchObject({ code: 'config.invalid' })
  return error.data['problems'] as ConfigProblem[]
}

describe('loadConfig', () => {
  it('is the defaults where nothing is set', async () => {
    const { config, files, origins } = await load({ cwd: dir })
    expect(config).toEqual(defaultConfig())
    expect(files).toEqual([])
    expect(origins.get('kernel.language')).toEqual({ layer: 'default' })
  })

  it('layers user file, project file, environment and flags', async () => {
    writeFileSync(file, 'kernel.language = "javascript"\nkernel.idle_timeout = "1m"\nlog.level = "warn"\nlog.keep = 7\n')
    const project = join(dir, 'project')
    mkdirSync(join(project, 'deep', 'er'), { recursive: true })
    writeFileSync(join(project, 'llmspell.toml'), '[kernel]\nidle_timeout = "2m"\nparallel_runs = 2\n[log]\nlevel = "debug"\n')
    env['LLMSPELL_LOG__LEVEL'] = 'error'
    env['LLMSPELL_KERNEL__PARALLEL_RUNS'] = '3'
    const { config, origins, files } = await load({ cwd: join(project, 'deep', 'er'), flags: { 'kernel.parallel_runs': '5' } })
    expect(config).toMatchObject({
      'kernel.language': 'javascript',
      'kernel.idle_timeout': 120_000,
      'kernel.parallel_runs': 5,
      'log.level': 'error',
      'log.keep': 7,
    })
    expect(origins.get('kernel.idle_timeout')).toEqual({ layer: 'project', source: join(project, 'llmspell.toml') })
    expect(origins.get('log.level')).toEqual({ layer: 'environment', source: 'LLMSPELL_LOG__LEVEL' })
    expect(origins.get('kernel.parallel_runs')?.layer).toBe('flag')
    expect(files.map(({ layer }) => layer)).toEqual(['user', 'project'])
  })

  it('reads no project file without a directory to begin at', async () => {
    writeFileSync(join(dir, 'llmspell.toml'), 'nonsense')
    await expect(load()).resolves.toMatchObject({ files: [] })
  })

  it.runIf(process.getuid?.() === 0)('passes over a project file of another user, with a warning', async () => {
    const project = join(dir, 'llmspell.toml')
    writeFileSync(project, 'kernel.language = "typescript"')
    chownSync(project, 12345, 12345)
    const { config, warnings } = await load({ cwd: dir })
    expect(config['kernel.language']).toBe('lua')
    expect(warnings).toEqual([expect.stringContaining('belongs to another user (id 12345)')])
  })

  it('reports everything wrong at once, to the column, with suggestions', async () => {
    writeFileSync(
      file,
      `# mine
[kernel]
  langage = "lua"
idle_timeout = 30
transport = "icp"

[stat]
driver = "sqlite"

[kernel.limits]
x = 1

[log]
kep = 1
`,
    )
    expect(await problems()).toEqual([
      expect.objectContaining({ line: 3, column: 3, message: 'unknown setting "kernel.langage"; did you mean "kernel.language"?' }),
      expect.objectContaining({
        line: 4,
        column: 1,
        message: expect.stringMatching(/^kernel\.idle_timeout must be a duration such as "30m".*not 30$/),
      }),
      expect.objectContaining({ line: 5, message: expect.stringContaining('did you mean "ipc"?') }),
      expect.objectContaining({ line: 10, key: 'kernel.limits' }),
      expect.objectContaining({ line: 7, column: 2, message: 'unknown setting "stat"; did you mean "state"?' }),
      expect.objectContaining({ line: 14, suggestion: 'log.keep' }),
    ])
  })

  it('shows places as compilers do', async () => {
    writeFileSync(file, 'kernel.language = 7\n')
    await expect(load()).rejects.toThrow(`${file}:1:1: kernel.language must be one of "lua", "javascript", "typescript", not 7`)
  })

  it('says where the TOML itself is broken', async () => {
    writeFileSync(file, '[kernel]\nlanguage = "lua\n')
    expect(await problems()).toEqual([
      expect.objectContaining({ source: file, line: 2, message: expect.stringMatching(/^not valid TOML: /) }),
    ])
  })

  it('says that a section is none', async () => {
    writeFileSync(file, 'kernel = 3')
    expect(await problems()).toEqual([expect.objectContaining({ message: '"kernel" is a section, its settings stand below [kernel]' })])
  })

  it('says that the file cannot be read', async () => {
    mkdirSync(file)
    expect(await problems()).toEqual([expect.objectContaining({ source: file, message: expect.stringContaining('cannot be read') })])
  })

  it('reports unknown and wrong variables and flags', async () => {
    env['LLMSPELL_KERNEL__IDLE_TIMOUT'] = '1m'
    env['LLMSPELL_LOG__KEEP'] = 'many'
    env['LLMSPELL_TRACE'] = 'jupyter'
    const found = await problems({ flags: { 'state.driver': 'postgres' } })
    expect(found).toEqual([
      expect.objectContaining({ source: 'LLMSPELL_KERNEL__IDLE_TIMOUT', suggestion: 'kernel.idle_timeout' }),
      expect.objectContaining({ source: 'LLMSPELL_LOG__KEEP', message: 'log.keep must be a whole number, not "many"' }),
      expect.objectContaining({ source: '--state.driver' }),
    ])
  })

  it('fills in variables in text', async () => {
    writeFileSync(file, 'state.path = "${BASE}/x/${NAME:-default}/$${NAME}.db"')
    env['BASE'] = '/b'
    expect((await load()).config['state.path']).toBe('/b/x/default/${NAME}.db')
  })

  it.each([
    ['${GONE}', /needs the environment variable GONE, which is not set/],
    ['${a b}', /holds \$\{a b\}, which is not/],
  ])('refuses %s', async (value, message) => {
    writeFileSync(file, `state.path = "${value}"`)
    expect(await problems()).toEqual([expect.objectContaining({ line: 1, message: expect.stringMatching(message) })])
  })
})
