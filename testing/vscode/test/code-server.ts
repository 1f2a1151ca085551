import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type Home, run, until } from '@llmspell/testkit'
import type { CodeServer } from './install-code-server.ts'

const START_MS = 120_000
const END_MS = 20_000

/** Nothing that asks, tells, fetches or moves while a test looks. */
const SETTINGS = {
  'chat.disableAIFeatures': true,
  'debug.internalConsoleOptions': 'openOnSessionStart',
  'debug.onTaskErrors': 'debugAnyway',
  'editor.minimap.enabled': false,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'files.autoSave': 'off',
  'git.enabled': false,
  'security.workspace.trust.enabled': false,
  'telemetry.telemetryLevel': 'off',
  // A terminal whose text is text in the page.
  'terminal.integrated.gpuAcceleration': 'off',
  'update.mode': 'none',
  'window.commandCenter': false,
  'window.confirmBeforeClose': 'never',
  'workbench.enableExperiments': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
}

export interface RunningCodeServer {
  readonly url: string
  stop(): Promise<void>
}

/** code-server on loopback with the extensions installed; all that it writes is in the home. */
export async function startCodeServer(
  codeServer: CodeServer,
  home: Home,
  extensions: readonly string[],
  settings: Readonly<Record<string, unknown>>,
): Promise<RunningCodeServer> {
  const data = join(home.dir, 'code')
  // To VS Code the browser's machine is the user's, and this one a remote: which has settings of its own, such as paths.
  for (const scope of ['User', 'Machine']) {
    mkdirSync(join(data, scope), { recursive: true })
    writeFileSync(join(data, scope, 'settings.json'), JSON.stringify({ ...SETTINGS, ...settings }, null, 2))
  }
  writeFileSync(join(data, 'config.yaml'), 'auth: none\ncert: false\n')
  const folders = ['--config', join(data, 'config.yaml'), '--user-data-dir', data, '--extensions-dir', join(data, 'extensions')]
  // No gallery: nothing is asked of one.
  const env = { ...home.env, XDG_CONFIG_HOME: data, XDG_DATA_HOME: data, XDG_CACHE_HOME: data, EXTENSIONS_GALLERY: '{}' }
  for (const extension of extensions) {
    const args = [codeServer.entry, ...folders, '--install-extension', extension, '--force']
    const { code, stdout, stderr } = await run(codeServer.node, args, { env, timeout: START_MS })
    if (code !== 0) throw new Error(`${extension} cannot be installed:\n${stdout}\n${stderr}`)
  }
  const port = await freePort()
  const address = ['--bind-addr', `127.0.0.1:${port}`, '--auth', 'none']
  const quiet = ['--disable-telemetry', '--disable-update-check', '--disable-workspace-trust', '--disable-getting-started-override']
  const child = spawn(codeServer.node, [codeServer.entry, ...folders, ...address, ...quiet], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (printed += text))
  const url = `http://127.0.0.1:${port}`
  try {
    await until(
      'code-server listens',
      async () => {
        if (child.exitCode !== null) throw new Error('it ended')
        return (await fetch(`${url}/healthz`)).ok
      },
      START_MS,
    )
  } catch (error) {
    await stop(child)
    throw new Error(`${(error as Error).message}\n${printed}`, { cause: error })
  }
  return { url, stop: () => stop(child) }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const hurry = setTimeout(() => child.kill('SIGKILL'), END_MS)
  await exited
  clearTimeout(hurry)
}

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
