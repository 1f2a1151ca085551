import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createHome, type Home, llmspellBin, missingTools, run, type Tool } from '@llmspell/testkit'
import { describeWith } from '@llmspell/testkit/vitest'
import { afterAll, beforeAll, describe } from 'vitest'
import { type RunningCodeServer, startCodeServer } from './code-server.ts'
import { type CodeServer, installCodeServer } from './install-code-server.ts'
import { Workbench } from './workbench.ts'

const MINUTES = 60_000

const NEEDS: readonly Tool[] = ['npm', 'chromium']

const picturesRoot = fileURLToPath(new URL('../pictures/', import.meta.url))

export interface Surroundings {
  readonly wb: Workbench
  readonly home: Home
  /** The folder that the workbench has open. */
  readonly workspace: string
}

/**
 * Tests in one workbench with the packed extension and these files. Without the tools, or where code-server cannot be installed, they are
 * skipped and the reason is printed.
 */
export async function describeWorkbench(
  name: string,
  files: Readonly<Record<string, string>>,
  body: (of: () => Surroundings) => void,
): Promise<void> {
  if (missingTools(NEEDS).length > 0) {
    describeWith(NEEDS, name, () => body(nothing))
    return
  }
  let codeServer: CodeServer
  try {
    codeServer = await installCodeServer()
  } catch (error) {
    console.warn(`skipped: ${name}: code-server cannot be installed: ${(error as Error).message}`)
    describe.skip(name, () => body(nothing))
    return
  }

  describe(name, () => {
    let home: Home
    let server: RunningCodeServer | undefined
    let wb: Workbench | undefined
    const workspace = (): string => join(home.dir, 'work')

    beforeAll(async () => {
      const vsix = await packExtension()
      home = createHome()
      mkdirSync(workspace())
      for (const [file, text] of Object.entries(files)) writeFileSync(join(workspace(), file), text)
      server = await startCodeServer(codeServer, home, [vsix], { 'llmspell.command': writeCommand(home), 'llmspell.trace': 'verbose' })
      const pictures = join(picturesRoot, name.replaceAll(/\W+/g, '-').toLowerCase())
      rmSync(pictures, { recursive: true, force: true })
      wb = await Workbench.open(server.url, workspace(), mkdtempSync(join(home.dir, 'chromium-')), pictures)
    }, 5 * MINUTES)

    afterAll(async () => {
      await wb?.close()
      await server?.stop()
      await home?.dispose()
    }, MINUTES)

    body(() => {
      if (!wb) throw new Error('the workbench is not open')
      return { wb, home, workspace: workspace() }
    })
  })
}

/** As an installation makes it. The Node that VS Code finds on the PATH is that of a login shell. */
function writeCommand(home: Home): string {
  const file = join(home.dir, 'llmspell.sh')
  writeFileSync(file, `#!/bin/sh\nexec '${process.execPath}' '${llmspellBin()}' "$@"\n`, { mode: 0o755 })
  return file
}

function nothing(): never {
  throw new Error('skipped')
}

async function packExtension(): Promise<string> {
  const script = fileURLToPath(new URL('../../../apps/vscode/scripts/package.mjs', import.meta.url))
  const { code, stdout, stderr } = await run(process.execPath, [script], { timeout: MINUTES })
  if (code !== 0) throw new Error(`the extension cannot be packed:\n${stdout}\n${stderr}`)
  return stdout.trim()
}
