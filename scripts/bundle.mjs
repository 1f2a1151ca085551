// Joins what a process loads at its start into one file. A kernel is some 150 small modules: finding, reading and linking
// each of them takes longer than all they do, and keeps memory. Runs after `tsc -b`, on its output; docs/decisions/0004.
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')

/** Per application: the files that processes and threads of it start with, by the name they get in `dist/bundle`. */
const APPLICATIONS = {
  'apps/kernel': {
    boot: 'apps/kernel/dist/boot.js',
    'lua-worker': 'packages/script/dist/lua/worker.js',
    'lua-debugger': 'packages/script/dist/lua/debug/lua-debugger.js',
    'javascript-process': 'packages/script/dist/javascript/process/main.js',
    'javascript-guard': 'packages/script/dist/javascript/process/guard-main.js',
  },
  'apps/cli': { main: 'apps/cli/dist/main.js' },
}

/** Not joined: native addons, and what is too large to be read before it is needed. */
const EXTERNAL = ['better-sqlite3', 'zeromq', 'amaro']

for (const [application, entries] of Object.entries(APPLICATIONS)) await bundle(join(root, application), entries)

async function bundle(folder, entries) {
  const finalDir = join(folder, 'dist', 'bundle')
  const outDir = `${finalDir}.new`
  rmSync(outDir, { recursive: true, force: true })
  mkdirSync(outDir, { recursive: true })
  const started = new Map(Object.entries(entries).map(([name, file]) => [join(root, file), `./${name}.js`]))
  // Each by itself: a process loads what one entry needs, and shared pieces would only be more files.
  for (const [path, name] of started) {
    const build = await rolldown({
      input: { [basename(name, '.js')]: path },
      platform: 'node',
      external: EXTERNAL,
      plugins: [builtins(), relocate(started, outDir)],
      // Our packages say that importing them does nothing, which is not so for what a process or thread consists of.
      treeshake: {
        moduleSideEffects: [{ test: /\/script\/dist\/javascript\/process\//, sideEffects: true }],
        propertyReadSideEffects: false,
      },
      onLog: (level, log) => {
        if (level === 'warn') throw new Error(log.message)
      },
    })
    await build.write({ dir: outDir, format: 'esm', entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js', comments: false })
  }
  writeFileSync(join(outDir, 'inputs.json'), JSON.stringify(buildInfos(outDir)))
  rmSync(finalDir, { recursive: true, force: true })
  renameSync(outDir, finalDir)
}

/**
 * Node's own modules, without the face they have for `import`: making that reads every export, which loads all that Node would
 * otherwise load when it is used (streams, promises and readline for `fs`, WebCrypto for `crypto`), a third of a kernel's start.
 */
function builtins() {
  const prefix = '\0builtin:'
  return {
    name: 'builtins',
    resolveId: (source) => (source.startsWith('node:') ? prefix + source : null),
    async load(id) {
      if (!id.startsWith(prefix)) return null
      const name = id.slice(prefix.length)
      const exported = Object.keys(await import(name)).filter((key) => key !== 'default')
      const lines = exported.map((key) => `export const ${key} = builtin.${key}`)
      return {
        code: [`const builtin = process.getBuiltinModule('${name}')`, 'export default builtin', ...lines].join('\n'),
        moduleSideEffects: false,
      }
    },
  }
}

/**
 * Files that a module names beside itself: those that are entries are named as such, all others are copied. The bundle is one flat
 * folder, so both are beside the joined file.
 */
function relocate(started, outDir) {
  const place = (path) => {
    const entry = started.get(path)
    if (entry) return entry
    if (statSync(path).isDirectory()) return '.'
    if (path.endsWith('.js')) throw new Error(`${path} is started by a bundled file and is no entry of its own`)
    const name = `${basename(dirname(path))}-${basename(path)}`
    copyFileSync(path, join(outDir, name))
    return `./${name}`
  }
  return {
    name: 'relocate',
    transform(code, id) {
      if (!code.includes('import.meta')) return null
      return code
        .replaceAll(
          /new URL\('([^']+)', import\.meta\.url\)/g,
          (_, path) => `new URL('${place(resolve(dirname(id), path))}', import.meta.url)`,
        )
        .replaceAll(/import\.meta\.resolve\('(@llmspell\/[^']+)'\)/g, (whole, specifier) => {
          const entry = started.get(createRequire(id).resolve(specifier))
          return entry ? `new URL('${entry}', import.meta.url).href` : whole
        })
    },
  }
}

/** What the compiler touches when it builds a package: newer than the bundle, the bundle is old and is not used. */
function buildInfos(outDir) {
  return ['packages', 'apps']
    .flatMap((group) => readdirSync(join(root, group)).map((name) => join(root, group, name, 'dist', 'build.tsbuildinfo')))
    .filter((file) => existsSync(file))
    .map((file) => relative(outDir, file))
}
