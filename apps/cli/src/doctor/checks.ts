import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { accessSync, constants, existsSync, lstatSync, readdirSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { messageOf } from '@llmspell/base'
import { loadConfig } from '@llmspell/config'
import { ensurePrivateDirectory } from '@llmspell/config/paths'
import { connectTo, isKernelRunning, probe, readKernel, readKernels, stopKernel, sweep } from '@llmspell/manager'
import { jupyterUserDataDir, listKernelspecs } from '@llmspell/manager/kernelspec'
import { spawnKernel, startAlone } from '@llmspell/manager/start'
import type { Context } from '../context.ts'
import { kernelEntry } from '../session/kernel-entry.ts'

export interface Check {
  name: string
  status: 'ok' | 'warning' | 'failed'
  message: string
  /** What to do about it. */
  hint?: string
}

/** Tries what llmspell needs, one thing after the other; each check says what it saw. */
export async function* runChecks(context: Context): AsyncGenerator<Check> {
  yield node()
  yield* directories(context)
  yield await configuration(context)
  yield leftovers(context)
  yield* registeredKernels(context)
  yield* trialKernel(context)
  yield await encryption()
  yield jupyter(context)
  yield* kernelspecs(context)
}

function node(): Check {
  const { version, execPath } = process
  return { name: 'Node', status: 'ok', message: `${version}, ${execPath}` }
}

function* directories({ paths }: Context): Generator<Check> {
  for (const [name, directory] of [
    ['sockets', paths.runtimeDir],
    ['state', paths.stateDir],
    ['logs', paths.logsDir],
  ] as const) {
    yield attempt(name, () => {
      const before = lstatSync(directory, { throwIfNoEntry: false })
      ensurePrivateDirectory(directory)
      accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK)
      const narrowed = before !== undefined && (before.mode & 0o077) !== 0 && process.platform !== 'win32'
      return narrowed
        ? { status: 'warning', message: `${directory} was open to others (mode ${(before.mode & 0o777).toString(8)}); it is 700 now` }
        : { status: 'ok', message: `${directory} is yours alone` }
    })
  }
}

async function configuration({ paths, env, cwd }: Context): Promise<Check> {
  try {
    const { files, warnings } = await loadConfig({ paths, env, cwd })
    const read = files.length > 0 ? files.map(({ path }) => path).join(', ') : 'no file, all defaults'
    if (warnings.length > 0) return { name: 'configuration', status: 'warning', message: warnings.join('; ') }
    return { name: 'configuration', status: 'ok', message: read }
  } catch (error) {
    return { name: 'configuration', status: 'failed', message: messageOf(error), hint: '`llmspell config validate` checks a file again.' }
  }
}

function leftovers({ paths }: Context): Check {
  return attempt('leftovers', () => {
    const swept = sweep(paths)
    if (swept.length === 0) return { status: 'ok', message: 'no dead kernel left anything behind' }
    const names = swept.map(({ record }) => `"${record.id}" (process ${record.pid})`).join(', ')
    return { status: 'warning', message: `removed what dead kernels left: ${names}`, hint: `Why they died may stand in ${paths.logsDir}.` }
  })
}

async function* registeredKernels({ paths }: Context): AsyncGenerator<Check> {
  for (const kernel of readKernels(paths)) {
    const { state, record } = await probe(kernel)
    const name = `kernel "${record.id}"`
    if (state === 'unresponsive')
      yield {
        name,
        status: 'failed',
        message: `process ${record.pid} runs but does not answer`,
        hint: `End it: llmspell kernel stop ${record.id} --force`,
      }
    else if (state !== 'dead') yield { name, status: 'ok', message: `${state}, process ${record.pid}, version ${record.version}` }
  }
}

/** Small code of each language, and of what State needs; each must print 42. */
const TRIALS: readonly (readonly [name: string, language: 'lua' | 'javascript' | 'typescript', code: string])[] = [
  ['lua', 'lua', 'print(6 * 7)'],
  ['javascript', 'javascript', 'console.log(6 * 7)'],
  ['typescript', 'typescript', 'const n: number = 42; console.log(n)'],
  [
    'saved state',
    'lua',
    'local own = { scope = "llmspell-doctor" } State.set("trial", 42, own) print(State.get("trial", own)) State.delete("trial", own)',
  ],
]

/** A kernel of its own, so that a broken one in use does not hide behind a good answer, nor the other way round. */
async function* trialKernel({ paths, cwd, env }: Context): AsyncGenerator<Check> {
  const id = `doctor-${randomBytes(4).toString('hex')}`
  const begun = performance.now()
  let works = true
  try {
    await startAlone(paths, id, () =>
      spawnKernel({
        paths,
        id,
        entry: kernelEntry(),
        startedBy: 'daemon',
        cwd: existsSync(homedir()) ? homedir() : cwd,
        env,
        idleTimeout: 60_000,
      }),
    )
  } catch (error) {
    yield {
      name: 'kernel',
      status: 'failed',
      message: messageOf(error),
      hint: hintOf(error).hint ?? `See ${paths.logFile(id)}.`,
    }
    return
  }
  const kernel = readKernel(paths, id)
  if (!kernel) {
    yield { name: 'kernel', status: 'failed', message: 'it started but did not register', hint: `See ${paths.logFile(id)}.` }
    return
  }
  try {
    const client = await connectTo(kernel.connection)
    try {
      yield { name: 'kernel', status: 'ok', message: `a new one answered after ${Math.round(performance.now() - begun)} ms` }
      for (const trial of TRIALS) {
        const check = await tryCode(client, ...trial)
        works &&= check.status === 'ok'
        yield check
      }
    } finally {
      await client.close()
    }
  } catch (error) {
    works = false
    yield { name: 'kernel', status: 'failed', message: messageOf(error), hint: hintOf(error).hint ?? `See ${paths.logFile(id)}.` }
  } finally {
    if (isKernelRunning(kernel)) await stopKernel(paths, kernel)
    if (works) rmSync(paths.logFile(id), { force: true })
  }
}

async function tryCode(
  client: Awaited<ReturnType<typeof connectTo>>,
  name: string,
  language: 'lua' | 'javascript' | 'typescript',
  code: string,
): Promise<Check> {
  let printed = ''
  const begun = performance.now()
  const execution = client.execute(code, {
    language,
    storeHistory: false,
    onOutput(output) {
      if (output.type === 'stream') printed += output.text
      else if (output.type === 'error') printed += `${output.ename}: ${output.evalue}`
    },
  })
  try {
    await execution.done
  } catch (error) {
    return { name, status: 'failed', message: messageOf(error), ...hintOf(error) }
  }
  if (printed.trim() !== '42') return { name, status: 'failed', message: `gave ${JSON.stringify(printed)} for ${code}` }
  return { name, status: 'ok', message: `works, ${Math.round(performance.now() - begun)} ms` }
}

/** The only thing the ZeroMQ addon is needed for. */
async function encryption(): Promise<Check> {
  try {
    const { loadCurveAddon } = await import('@llmspell/jupyter-zmq')
    await loadCurveAddon()
    return { name: 'encryption', status: 'ok', message: 'the ZeroMQ addon loads and has CURVE' }
  } catch (error) {
    return { name: 'encryption', status: 'warning', message: messageOf(error), ...hintOf(error) }
  }
}

function jupyter({ env }: Context): Check {
  const { status, stdout, error } = spawnSync('jupyter', ['--version'], { encoding: 'utf8', env, timeout: 30_000 })
  if (error || status !== 0)
    return {
      name: 'Jupyter',
      status: 'warning',
      message: 'there is no `jupyter` command on PATH',
      hint: 'Only needed for notebooks and jupyter console.',
    }
  const core = /jupyter[_-]client\s*:\s*(\S+)/.exec(stdout)?.[1]
  return { name: 'Jupyter', status: 'ok', message: core ? `jupyter_client ${core}` : 'found' }
}

function* kernelspecs({ env }: Context): Generator<Check> {
  const found = listKernelspecs(env)
  if (found.length === 0)
    yield {
      name: 'kernelspecs',
      status: 'warning',
      message: 'none is installed',
      hint: 'For notebooks: llmspell kernelspec install --user',
    }
  for (const { name, directory, problem } of found) {
    if (problem === undefined) yield { name: `kernelspec ${name}`, status: 'ok', message: directory }
    else
      yield {
        name: `kernelspec ${name}`,
        status: 'failed',
        message: `${directory}: ${problem}`,
        hint: 'Install it again: llmspell kernelspec install',
      }
  }
  const broken = brokenDirectories(env)
  if (broken.length > 0)
    yield { name: 'kernelspecs', status: 'warning', message: `unfinished installations: ${broken.join(', ')}`, hint: 'Remove them.' }
}

/** What an installation that was cut short leaves. */
function brokenDirectories(env: NodeJS.ProcessEnv): string[] {
  const kernels = `${jupyterUserDataDir(env)}/kernels`
  return existsSync(kernels)
    ? readdirSync(kernels)
        .filter((name) => name.startsWith('.llmspell-'))
        .map((name) => `${kernels}/${name}`)
    : []
}

function attempt(name: string, check: () => Omit<Check, 'name'>): Check {
  try {
    return { name, ...check() }
  } catch (error) {
    return { name, status: 'failed', message: messageOf(error), ...hintOf(error) }
  }
}

function hintOf(error: unknown): { hint?: string } {
  const { hint } = error as { hint?: string }
  return hint === undefined ? {} : { hint }
}
