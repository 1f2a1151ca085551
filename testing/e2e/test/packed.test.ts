import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type CommandResult, createHome, type Home, run, toolPath } from '@llmspell/testkit'
import { describeWith } from '@llmspell/testkit/vitest'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { atOnce } from './at-once.ts'
import { type Registry, serveTarballs } from './read-only-registry.ts'

const MINUTES = 60_000
const root = fileURLToPath(new URL('../../../', import.meta.url))

/** The oldest Node that is supported, and the one that runs this. */
const nodes = ['22.19.0', process.versions.node]

describeWith(['npm'], 'packed packages from a registry, in an empty directory', () => {
  const npm = realpathSync(String(toolPath('npm')))
  const npx = join(dirname(npm), 'npx-cli.js')
  let tarballs: string
  let registry: Registry

  beforeAll(async () => {
    tarballs = mkdtempSync('/tmp/lt-')
    const folders = ['packages', 'apps'].flatMap((group) => readdirSync(join(root, group)).map((name) => join(root, group, name)))
    const published = folders.filter((folder) => {
      const file = join(folder, 'package.json')
      return existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as { private?: boolean }).private !== true
    })
    await atOnce(published.length, 2, async (index) => {
      const packed = await run('pnpm', ['pack', '--pack-destination', tarballs], { cwd: String(published[index]), timeout: MINUTES })
      expect(packed.code, packed.stderr).toBe(0)
    })
    registry = await serveTarballs(tarballs)
  }, 5 * MINUTES)

  afterAll(async () => {
    await registry?.close()
    rmSync(tarballs, { recursive: true, force: true })
  })

  describe.each(nodes)('on Node %s', (version) => {
    let home: Home
    let node: string
    let work: string
    let env: NodeJS.ProcessEnv

    const llmspell = (args: string[], input?: string): Promise<CommandResult> =>
      run(node, [npx, '-y', '@llmspell/cli', ...args], { cwd: work, env, timeout: 4 * MINUTES, ...(input === undefined ? {} : { input }) })

    beforeAll(() => {
      node = nodeOf(version, npm)
    }, 5 * MINUTES)

    beforeEach(() => {
      home = createHome()
      work = join(home.dir, 'empty')
      mkdirSync(work)
      const outer = (name: string): string => spawnSync(process.execPath, [npm, 'config', 'get', name], { encoding: 'utf8' }).stdout.trim()
      env = {
        ...home.env,
        PATH: [dirname(node), process.env.PATH].join(delimiter),
        npm_config_userconfig: outer('userconfig'),
        npm_config_registry: outer('registry'),
        'npm_config_@llmspell:registry': registry.url,
        // of its own, or an older copy of the same version might be taken
        npm_config_cache: join(home.dir, 'npm-cache'),
        npm_config_update_notifier: 'false',
      }
    })
    afterEach(async () => {
      const left = await home.dispose()
      expect(left, 'processes that were left').toEqual([])
    })

    test('run, repl, kernel start, status and stop work', { timeout: 10 * MINUTES }, async () => {
      const ran = async (args: string[], input?: string): Promise<string> => {
        const { code, stdout, stderr } = await llmspell(args, input)
        expect(code, `${args.join(' ')}\n${stdout}\n${stderr}`).toBe(0)
        return stdout
      }
      expect(await ran(['version'])).toContain(version)
      writeFileSync(join(work, 'hello.lua'), 'State.set("seen", "by lua")\nprint("hello from " .. _VERSION)\n')
      writeFileSync(
        join(work, 'hello.ts'),
        'const seen: string = await State.get("seen") as string\nconsole.log(`seen ${seen} on ${process.version}`)\n',
      )
      expect(await ran(['run', 'hello.lua'])).toBe('hello from Lua 5.4\n')
      expect(await ran(['run', 'hello.ts'])).toBe(`seen by lua on v${version}\n`)
      expect(await ran(['repl'], 'x = 20\nprint(x + 1)\n:quit\n')).toContain('21')
      await ran(['kernel', 'start', '--daemon', '--id', 'second'])
      const status = JSON.parse(await ran(['kernel', 'status', 'second', '--json'])) as { record: { id: string; pid: number } }
      expect(status.record.id).toBe('second')
      const listed = JSON.parse(await ran(['kernel', 'list', '--json'])) as { kernels: { id: string }[] }
      expect(listed.kernels.map(({ id }) => id).sort()).toEqual(['default', 'second'])
      await ran(['kernel', 'stop', 'second'])
      await ran(['kernel', 'stop'])
      expect(registry.served).toContain('@llmspell/kernel-app')
    })
  })
})

/** A Node of exactly this version: this one, or npm's build of it, kept beside the other tools. */
function nodeOf(version: string, npm: string): string {
  if (version === process.versions.node) return process.execPath
  const folder = join(root, '.tools', `node-${version}`)
  const name = `node-${process.platform}-${process.arch}`
  const binary = join(folder, 'node_modules', name, 'bin', 'node')
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true })
    const flags = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
    const { status, stderr } = spawnSync(process.execPath, [npm, 'install', '--prefix', folder, ...flags, `${name}@${version}`], {
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(`npm has no Node ${version} for this platform: ${stderr}`)
  }
  return binary
}
