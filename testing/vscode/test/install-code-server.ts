import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isAlive, run, toolPath, until } from '@llmspell/testkit'

/** VS Code in a browser. Its version is pinned: the workbench's inner names are what the driver looks for. */
const VERSION = '4.139.1'

const STEP_MS = 900_000
const START_MS = 120_000

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

/** npm's build of Node. */
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
  // Nothing is compiled: the native modules that VS Code cannot do without come prebuilt. Without the others it keeps no secrets and
  // writes no log files, in which output channels have their text, too.
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const step = async (what: string, args: readonly string[], cwd: string): Promise<void> => {
    const { code, stderr } = await run(npm, ['install', ...args, ...flags], { cwd, timeout: STEP_MS })
    if (code !== 0) throw new Error(`${what}: npm ended with ${code}\n${stderr.slice(0, 500)}`)
  }
  await step('code-server and its Node', ['--no-save', `${nodePackage()}@24`, `code-server@${VERSION}`], folder)
  const vscode = join(folder, 'node_modules', 'code-server', 'lib', 'vscode')
  for (const each of [vscode, join(vscode, 'extensions')]) await step('what VS Code depends on', ['--omit=dev'], each)
  // What code-server's own installation would make, if its scripts were run.
  link('code-linux.sh', join(vscode, 'bin', 'remote-cli', 'code-server'))
  link('browser-linux.sh', join(vscode, 'bin', 'helpers', 'browser.sh'))
  const { node: program, entry } = installed(folder)
  const version = await run(program, [entry, '--version'], {
    timeout: START_MS,
    env: { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder },
  })
  if (version.code !== 0) throw new Error(`code-server does not start\n${version.stderr.slice(-2000)}`)
  renameSync(folder, final)
}

function link(target: string, path: string): void {
  rmSync(path, { force: true })
  symlinkSync(target, path)
}

/** One installation at a time, also over processes; that of one which died is taken over. */
async function alone(lock: string, work: () => Promise<void>): Promise<void> {
  const taken = (): boolean => {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' })
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      if (!isAlive(Number(readFileSync(lock, 'utf8')) || process.pid)) rmSync(lock, { force: true })
      return false
    }
  }
  await until(`the installation that holds ${lock} ends`, taken, STEP_MS)
  try {
    await work()
  } finally {
    rmSync(lock, { force: true })
  }
}
