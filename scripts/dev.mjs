// Sets the repository up on a fresh machine (any Node >= 18 with npm), then runs a task. Plain JavaScript without
// dependencies, because nothing is installed yet when it starts. Set-up is skipped when nothing changed.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const tools = join(root, '.tools')
const windows = process.platform === 'win32'
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const PNPM_VERSION = manifest.packageManager.replace(/^pnpm@/, '').split('+')[0]
const NODE_VERSION = '24.21.0'
const NODE_FLOOR = [22, 19]
// Caches stay inside the clone: removing the clone removes everything that set-up ever wrote.
const CACHES = {
  npm_config_cache: join(tools, 'npm-cache'),
  pnpm_config_store_dir: join(tools, 'pnpm-store'),
  pnpm_config_cache_dir: join(tools, 'pnpm-cache'),
  pnpm_config_state_dir: join(tools, 'pnpm-state'),
  XDG_CACHE_HOME: join(tools, 'cache'),
}

const startedAt = Date.now()
const say = (text) => process.stderr.write(`[setup ${((Date.now() - startedAt) / 1000).toFixed(1)}s] ${text}\n`)

function fail(text) {
  process.stderr.write(`setup failed: ${text}\n`)
  process.exit(1)
}

function newEnough(version) {
  const [major, minor] = version.replace(/^v/, '').split('.').map(Number)
  return major > NODE_FLOOR[0] || (major === NODE_FLOOR[0] && minor >= NODE_FLOOR[1])
}

function run(command, args, env, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', env, ...options })
  if (result.error) fail(`${command}: ${result.error.message}`)
  return result.status ?? 1
}

/** Installs packages of the npm registry into a folder of their own; true when npm succeeded. */
function npmInstall(folder, specs) {
  mkdirSync(folder, { recursive: true })
  if (!existsSync(join(folder, 'package.json'))) writeFileSync(join(folder, 'package.json'), '{"private":true}\n')
  // Scripts are off so that the result is the same under npm 10, 11 and 12 (12 blocks them anyway).
  const flags = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const log = process.env.VERBOSE ? 'inherit' : 'pipe'
  const result = spawnSync(windows ? 'npm.cmd' : 'npm', ['install', '--prefix', folder, ...flags, ...specs], {
    cwd: root,
    env: { ...process.env, ...CACHES },
    shell: windows,
    stdio: ['ignore', 'ignore', log],
    encoding: 'utf8',
  })
  if (result.error) fail(`npm is needed to set up: ${result.error.message}`)
  return { ok: result.status === 0, log: result.stderr ?? '' }
}

/** One set-up at a time; the lock of a dead process is taken over. */
function lock() {
  mkdirSync(tools, { recursive: true })
  const folder = join(tools, '.lock')
  for (let told = false; ; ) {
    try {
      mkdirSync(folder)
      writeFileSync(join(folder, 'pid'), String(process.pid))
      return () => rmSync(folder, { recursive: true, force: true })
    } catch (error) {
      if (error.code !== 'EEXIST') fail(`cannot lock ${folder}: ${error.message}`)
    }
    if (!ownerAlive(folder)) {
      rmSync(folder, { recursive: true, force: true })
      continue
    }
    if (!told) say('another set-up is running, waiting for it')
    told = true
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
  }
}

function ownerAlive(folder) {
  let pid = 0
  try {
    pid = Number(readFileSync(join(folder, 'pid'), 'utf8'))
  } catch {}
  try {
    if (pid) process.kill(pid, 0)
    else return Date.now() - statSync(folder).mtimeMs < 10_000
  } catch (error) {
    return error.code === 'EPERM'
  }
  return true
}

/** Path of a Node that is new enough: this one, or one fetched from npm into `.tools`. */
function findNode() {
  if (newEnough(process.version)) return process.execPath
  const folder = join(tools, `node-${NODE_VERSION}`)
  const names = [`node-${windows ? 'win' : process.platform}-${process.arch}`, `node-bin-${process.platform}-${process.arch}`]
  const find = () =>
    names.map((name) => join(folder, 'node_modules', name, 'bin', windows ? 'node.exe' : 'node')).find((path) => existsSync(path))
  let found = find()
  if (found) return found
  say(`Node ${process.version} is older than ${NODE_FLOOR.join('.')}: fetching Node ${NODE_VERSION} from npm`)
  for (const version of [NODE_VERSION, NODE_VERSION.split('.')[0]]) {
    for (const name of names) {
      if (!found && npmInstall(folder, [`${name}@${version}`]).ok) found = find()
    }
  }
  return (
    found ??
    fail(
      `Node >= ${NODE_FLOOR.join('.')} is needed and npm has none for ${process.platform}-${process.arch}: install it and run this again`,
    )
  )
}

/** Folder of the native pnpm program; turbo and changesets start `pnpm` by name. */
function findPnpm() {
  const folder = join(tools, `pnpm-${PNPM_VERSION}`)
  const find = () => {
    const scope = join(folder, 'node_modules', '@pnpm')
    const name = existsSync(scope) && readdirSync(scope).find((entry) => entry.startsWith('exe.'))
    return name && join(scope, name)
  }
  if (find()) return find()
  say(`fetching pnpm ${PNPM_VERSION}`)
  const { log } = npmInstall(folder, [`pnpm@${PNPM_VERSION}`])
  return find() || fail(`npm could not install pnpm ${PNPM_VERSION}\n${log}`)
}

function manifests() {
  const files = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json']
  for (const folder of ['packages', 'apps', 'testing']) {
    if (existsSync(join(root, folder))) files.push(...readdirSync(join(root, folder)).map((name) => `${folder}/${name}/package.json`))
  }
  return files.filter((file) => existsSync(join(root, file)))
}

function dependencyStamp(node) {
  const hash = createHash('sha256').update(node)
  for (const file of manifests()) hash.update(file).update(readFileSync(join(root, file)))
  return hash.digest('hex')
}

/** Changes when a source file is added, removed or written: what decides whether to build. */
function sourceStamp(node) {
  const hash = createHash('sha256').update(node)
  const visit = (folder) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = `${folder}/${entry.name}`
      if (entry.isDirectory()) visit(path)
      else {
        const { mtimeMs, size } = statSync(join(root, path))
        hash.update(`${path} ${mtimeMs} ${size}\n`)
      }
    }
  }
  for (const group of ['packages', 'apps']) {
    for (const name of readdirSync(join(root, group)).sort()) {
      if (existsSync(join(root, group, name, 'src'))) visit(`${group}/${name}/src`)
      if (!existsSync(join(root, group, name, 'dist'))) hash.update(`${group}/${name} has no dist\n`)
    }
  }
  return hash.digest('hex')
}

const upToDate = (file, stamp) => existsSync(file) && readFileSync(file, 'utf8') === stamp

function setUp() {
  const unlock = lock()
  try {
    const node = findNode()
    const pnpm = findPnpm()
    const env = {
      ...process.env,
      PATH: [dirname(node), pnpm, join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter),
      TURBO_TELEMETRY_DISABLED: '1',
      DO_NOT_TRACK: '1',
    }
    const installed = join(root, 'node_modules', '.setup-stamp')
    if (!upToDate(installed, dependencyStamp(node))) {
      say('installing dependencies')
      const flags = ['install', ...(process.env.CI ? ['--frozen-lockfile'] : []), '--reporter=append-only']
      const quiet = ['ignore', process.env.VERBOSE ? 'inherit' : 'ignore', 'inherit']
      if (run(join(pnpm, windows ? 'pnpm.exe' : 'pnpm'), flags, { ...env, ...CACHES }, { stdio: quiet }) !== 0) fail('pnpm install')
      writeFileSync(installed, dependencyStamp(node))
    }
    const built = join(root, 'node_modules', '.build-stamp')
    if (!upToDate(built, sourceStamp(node))) {
      say('building')
      if (
        run(join(root, 'node_modules', '.bin', 'turbo'), ['run', '//#build', '--output-logs=errors-only', '--no-update-notifier'], env, {
          stdio: ['ignore', 'ignore', 'inherit'],
          shell: windows,
        }) !== 0
      ) {
        run(join(root, 'node_modules', '.bin', 'tsc'), ['-b'], env, { shell: windows })
        fail('the build')
      }
      writeFileSync(built, sourceStamp(node))
      say('ready')
    }
    return { node, env }
  } finally {
    unlock()
  }
}

/** Runs a program to its end in the foreground; it gets our terminal, and signals reach it by the terminal's process group. */
function foreground(command, args, env) {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {})
  const child = spawn(command, args, { stdio: 'inherit', env, cwd: startedIn })
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  child.on('exit', (code, signal) => process.exit(signal ? 128 + (signal === 'SIGINT' ? 2 : 15) : (code ?? 1)))
  child.on('error', (error) => fail(`${command}: ${error.message}`))
}

/** npm runs scripts in the folder of package.json; files are named from where the user stands. */
const startedIn = process.env.INIT_CWD && existsSync(process.env.INIT_CWD) ? process.env.INIT_CWD : process.cwd()

const TASKS = {
  start: (node, args) =>
    args.length === 0 ? [node, join(root, 'scripts', 'first-start.mjs')] : [node, join(root, 'apps', 'cli', 'bin', 'llmspell.js'), ...args],
  test: (node, args) => [node, join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', ...args],
  exec: (node, args) => (args[0] === 'node' ? [node, ...args.slice(1)] : args),
}

const [task, ...rest] = process.argv.slice(2)
if (!Object.hasOwn(TASKS, task ?? '')) {
  process.stderr.write('usage: node scripts/dev.mjs start [CLI arguments] | test [vitest arguments] | exec COMMAND…\n')
  process.exit(2)
}
const { node, env } = setUp()
const [command, ...args] = TASKS[task](node, rest)
foreground(command, args, env)
