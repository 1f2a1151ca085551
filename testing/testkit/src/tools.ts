import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

export type Tool =
  | 'python'
  | 'jupyter-client'
  | 'kernel-test'
  | 'pyzmq'
  | 'pexpect'
  | 'notebook'
  | 'nbconvert'
  | 'jupyter-console'
  | 'debugpy'
  | 'ipykernel'
  | 'npm'
  | 'lua'
  | 'chromium'
  | 'nvim'

/** Programs of other people that suites drive, and how to get them. A `module` is Python's; a program has the tool's name unless it says another. */
const tools: Record<Tool, { module?: string; program?: string; install: string }> = {
  python: { install: 'apt-get install python3' },
  'jupyter-client': { program: 'jupyter-run', install: 'apt-get install jupyter-client' },
  'kernel-test': { module: 'jupyter_kernel_test', install: 'apt-get install python3-jupyter-kernel-test' },
  pyzmq: { module: 'zmq', install: 'apt-get install python3-zmq' },
  pexpect: { module: 'pexpect', install: 'apt-get install python3-pexpect' },
  notebook: { module: 'notebook', install: 'apt-get install jupyter-notebook' },
  nbconvert: { module: 'nbconvert', install: 'apt-get install jupyter-nbconvert' },
  'jupyter-console': { module: 'jupyter_console', install: 'apt-get install jupyter-console' },
  debugpy: { module: 'debugpy', install: 'apt-get install python3-debugpy' },
  ipykernel: { module: 'ipykernel', install: 'apt-get install python3-ipykernel' },
  npm: { install: 'install npm' },
  lua: { program: 'lua5.4', install: 'apt-get install lua5.4' },
  chromium: { install: 'apt-get install chromium' },
  nvim: { install: 'apt-get install neovim' },
}

/** CI sets this: a suite that cannot run is then a failure, not a skip. */
export const toolsRequired: boolean = process.env.LLMSPELL_REQUIRE_TOOLS === '1'

/** The Python whose modules are the distribution's; `LLMSPELL_PYTHON` names another. */
const python = process.env.LLMSPELL_PYTHON ?? ['/usr/bin/python3', find('python3')].find((path) => path && executable(path))
const modules = new Map<string, boolean>()

/** Where the program behind a tool is, or `undefined` when it (or the Python module) is missing. */
export function toolPath(tool: Tool): string | undefined {
  const { module, program } = tools[tool]
  if (tool === 'python') return python
  if (!module) return find(program ?? tool)
  if (!python) return undefined
  if (!modules.has(module)) modules.set(module, spawnSync(python, ['-c', `import ${module}`], { stdio: 'ignore' }).status === 0)
  return modules.get(module) ? python : undefined
}

/** One sentence for each tool that is not there. */
export function missingTools(wanted: readonly Tool[]): string[] {
  return wanted.filter((tool) => !toolPath(tool)).map((tool) => `${tool} is not installed (${tools[tool].install})`)
}

function find(program: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((dir) => join(dir, program))
    .find(executable)
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
