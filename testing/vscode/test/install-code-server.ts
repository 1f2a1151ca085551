import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run, toolPath, until } from '@llmspell/testkit'

/** VS Code in a browser. Its version is pinned: the workbench's inner names are what the driver looks for. */
const VERSION = '4.139.1'

/** Natives of VS Code's server that it cannot do without; others have prebuilt files, or are only loaded for what is not tested. */
const NATIVES = ['@vscode/spdlog', '@vscode/native-watchdog', '@vscode/deviceid', '@vscode/sqlite3']

const STEP_MS = 600_000

export interface CodeServer {
  readonly node: string
  readonly entry: string
}

/**
 * code-server from npm, with a Node of the version that it wants. Kept in the user's cache, because it takes minutes and a gigabyte:
 * `~/.cache/llmspell-testing`, or where LLMSPELL_TEST_CACHE says. Rejects with the reason when it cannot be had.
 */
export async function installCodeServer(): Promise<CodeServer> {
  const cache = cacheDirectory()
  const folder = join(cache, `code-server-${VERSION}`)
  if (!existsSync(folder)) {
    mkdirSync(cache, { recursive: true })
    await alone(`${folder}.lock`, async () => {
      if (!existsSync(folder)) await install(folder)
    })
  }
  return installed(folder)
}

function cacheDirectory(): string {
  const given = process.env.LLMSPELL_TEST_CACHE ?? process.env.XDG_CACHE_HOME
  const root = fileURLToPath(new URL('../../../', import.meta.url))
  const inside = given !== undefined && !relative(root, given).startsWith('..')
  return process.env.LLMSPELL_TEST_CACHE ?? join(given === undefined || inside ? join(homedir(), '.cache') : given, 'llmspell-testing')
}

function installed(folder: string): CodeServer {
  return {
    node: join(folder, 'node_modules', nodePackage(), 'bin', 'node'),
    entry: join(folder, 'node_modules', 'code-server', 'out', 'node', 'entry.js'),
  }
}

/** npm's build of Node: with its headers, which native modules are compiled against. */
function nodePackage(): string {
  return `node-${process.platform}-${process.arch}`
}

async function install(final: string): Promise<void> {
  const folder = `${final}.new`
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n')
  const npm = toolPath('npm')
  if (!npm) throw new Error('npm is not installed')
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error']
  const step = async (what: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = process.env): Promise<void> => {
    const { code, stderr } = await run(npm, [...args, ...quiet], { cwd, env, timeout: STEP_MS })
    if (code !== 0) throw new Error(`${what}: npm ended with ${code}\n${stderr.slice(-2000)}`)
  }
  await step(
    'code-server and its Node',
    ['install', '--no-save', '--ignore-scripts', `${nodePackage()}@24`, `code-server@${VERSION}`],
    folder,
  )
  const product = join(folder, 'node_modules', 'code-server')
  const vscode = join(product, 'lib', 'vscode')
  const node = join(folder, 'node_modules', nodePackage())
  const env = { ...process.env, PATH: `${join(node, 'bin')}:${process.env.PATH}`, npm_config_nodedir: node }
  for (const each of [vscode, join(vscode, 'extensions')])
    await step('what VS Code depends on', ['install', '--omit=dev', '--ignore-scripts'], each, env)
  const build = ['rebuild', '--dangerously-allow-all-scripts']
  await step('its native modules', [...build, ...NATIVES], vscode, env)
  await step('argon2', [...build, 'argon2'], product, env)
  // What code-server's own installation would make, if its scripts were run.
  link('code-linux.sh', join(vscode, 'bin', 'remote-cli', 'code-server'))
  link('browser-linux.sh', join(vscode, 'bin', 'helpers', 'browser.sh'))
  const { node: program, entry } = installed(folder)
  const version = await run(program, [entry, '--version'], { timeout: 60_000, env: { ...env, HOME: folder, XDG_CONFIG_HOME: folder } })
  if (version.code !== 0) throw new Error(`code-server does not start\n${version.stderr.slice(-2000)}`)
  renameSync(folder, final)
}

function link(target: string, path: string): void {
  rmSync(path, { force: true })
  symlinkSync(target, path)
}

/** One installation at a time, also over processes. */
async function alone(lock: string, work: () => Promise<void>): Promise<void> {
  const taken = (): boolean => {
    try {
      mkdirSync(lock)
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
      throw error
    }
  }
  await until(`the installation that holds ${lock} ends (remove it if there is none)`, taken, STEP_MS)
  try {
    await work()
  } finally {
    rmSync(lock, { recursive: true, force: true })
  }
}
