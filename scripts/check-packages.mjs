// Packs every publishable package as it would go to npm, and checks the tarballs: publint, are-the-types-wrong, and a
// manifest that names what a user needs.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const out = mkdtempSync(join(tmpdir(), 'llmspell-pack-'))
let problems = 0

function run(command, args, cwd = root) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  return { ok: status === 0, output: error ? error.message : `${stdout}${stderr}` }
}

function report(name, what, output) {
  problems++
  console.error(`${name}: ${what}\n${output}`)
}

try {
  for (const group of ['packages', 'apps']) {
    for (const folder of readdirSync(join(root, group))) {
      const path = join(root, group, folder)
      const manifest = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'))
      if (manifest.private) continue
      for (const field of ['description', 'license', 'engines', 'exports', 'files']) {
        if (!manifest[field]) report(manifest.name, 'package.json', `lacks "${field}"`)
      }
      for (const script of ['preinstall', 'install', 'postinstall']) {
        if (manifest.scripts?.[script]) report(manifest.name, 'package.json', `runs "${script}" at install`)
      }
      const tarball = join(out, `${folder}.tgz`)
      const packed = run('pnpm', ['pack', '--out', tarball], path)
      if (!packed.ok) {
        report(manifest.name, 'pnpm pack', packed.output)
        continue
      }
      const lint = run('publint', ['run', tarball, '--strict'])
      if (!lint.ok) report(manifest.name, 'publint', lint.output)
      const types = run('attw', [tarball, '--profile', 'esm-only', '--format', 'ascii', '--no-emoji', '--no-definitely-typed'])
      if (!types.ok) report(manifest.name, 'are the types wrong', types.output)
      console.log(`${manifest.name}: checked`)
    }
  }
} finally {
  rmSync(out, { recursive: true, force: true })
}
if (problems > 0) {
  console.error(`${problems} problem${problems === 1 ? '' : 's'}`)
  process.exit(1)
}
