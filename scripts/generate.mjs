// Writes what is derived from code: the reference of script globals, type files for editors, the reference of the command
// line; and the types of the Debug Adapter Protocol from its declarations. `--check` compares instead, for CI.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { helpText } from '../apps/cli/dist/command-line/help.js'
import { commands } from '../apps/cli/dist/commands/index.js'
import { EXIT } from '../apps/cli/dist/exit-codes.js'
import { settingsReference } from '../packages/config/dist/index.js'
import { generateProtocol } from '../packages/dap/scripts/generate-protocol.mjs'
import { describeGlobals } from '../packages/runtime/dist/index.js'
import { generateDts, generateLuaMeta, generateReference } from '../packages/script/dist/catalogue/index.js'

const root = join(import.meta.dirname, '..')

const EXIT_MEANINGS = {
  ok: 'success',
  failed: 'the script or the code failed, or a command could not do its work',
  usage: 'the command line was not understood',
  noKernel: 'there is no kernel, or it cannot be reached or started',
  kernelDied: 'the kernel died during the work',
  config: 'the configuration is wrong',
  timeout: '`--timeout` passed, or the kernel did not answer in time',
  interrupted: 'interrupted',
  brokenPipe: 'whoever read the output went away',
  terminated: 'ended by SIGTERM',
}

function cliReference() {
  const sections = ['# Command line\n']
  const visit = (path) => {
    const command = path.at(-1)
    const title = path.map((item) => item.name).join(' ')
    sections.push(`## ${title}\n\n\`\`\`text\n${helpText(path, 100).trimEnd()}\n\`\`\`\n`)
    for (const sub of command.commands ?? []) visit([...path, sub])
  }
  visit([commands])
  const codes = Object.entries(EXIT).map(([name, code]) => `| ${code} | ${EXIT_MEANINGS[name]} |`)
  sections.push(
    `## Exit codes\n\nA script that ends itself (\`os.exit(3)\`, \`process.exit(3)\`) gives its own code.\n\n| code | meaning |\n| --- | --- |\n${codes.join('\n')}\n`,
  )
  return sections.join('\n')
}

const globals = describeGlobals()
const files = {
  'docs/reference.md': generateReference(globals),
  'docs/cli.md': cliReference(),
  'docs/configuration.md': settingsReference(),
  'packages/dap/src/protocol.generated.ts': generateProtocol(),
  'packages/runtime/types/llmspell.d.ts': generateDts(globals),
  'packages/runtime/types/llmspell.lua': generateLuaMeta(globals),
}

const check = process.argv.includes('--check')
let stale = 0
for (const [file, text] of Object.entries(files)) {
  const path = join(root, file)
  if (check) {
    let current = ''
    try {
      current = readFileSync(path, 'utf8')
    } catch {}
    if (current === text) continue
    stale++
    console.error(`${file} is not what the code says: run node scripts/generate.mjs`)
  } else {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
    console.log(file)
  }
}
process.exit(stale > 0 ? 1 : 0)
