#!/usr/bin/env node
/**
 * Builds lua.wasm from the pinned upstream source (source.json), the edits in patch.mjs and the C in c/, with clang from npm
 * (toolchain/). The result is the same, byte for byte, on every machine.
 *
 *   node build.mjs            build, write lua.wasm and lua.wasm.sha256
 *   node build.mjs --check    build and compare with the committed file; exit 1 when it differs
 *   --source FILE             use this tarball instead of fetching it (the checksum still holds)
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { applyEdits } from './patch.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const { values: options } = parseArgs({ options: { check: { type: 'boolean' }, source: { type: 'string' } } })
const pinned = JSON.parse(readFileSync(join(here, 'source.json'), 'utf8'))

const started = performance.now()
const say = (text) => process.stderr.write(`${text.padEnd(60)} ${((performance.now() - started) / 1000).toFixed(1)} s\n`)
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')

const target = ['--target=wasm32-wasip1', '-O3']
const compileFlags = [
  ...target,
  ...['-std=c11', '-D_GNU_SOURCE', '-DLUA_COMPAT_5_3', '-DNDEBUG'],
  ...['-Ic', '-Ic/compat', '-Ilua', '-include', 'c/compat/libc.h'],
  ...['-D_WASI_EMULATED_SIGNAL', '-D_WASI_EMULATED_PROCESS_CLOCKS'],
  ...['-mllvm', '-wasm-enable-sjlj', '-mexception-handling'],
  '-Wno-deprecated-declarations',
]
/** liolib and its like see the host's files through macros; ldo.c and lapi.c hold what is wrapped, so they must not be renamed. */
const redirected = new Set(['lauxlib.c', 'lbaselib.c', 'liolib.c', 'loslib.c', 'loadlib.c'])
const unwrapped = new Set(['ldo.c', 'lapi.c', 'debugger.c'])

function flagsFor(file) {
  const flags = unwrapped.has(file) ? [] : ['-Dlua_resume=lw_resume', '-Dlua_load=lw_load']
  if (file === 'ldo.c') flags.push('-include', 'c/throw.h')
  if (redirected.has(file)) flags.push('-DLW_REDIRECT', '-include', 'c/files.h')
  return flags
}

try {
  await main()
} catch (error) {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
}

async function main() {
  const sources = applyEdits(readTar(gunzipSync(await fetchSource())))
  say(`Lua ${pinned.version}: ${Object.keys(sources).length} files, patched`)
  const runClang = await loadToolchain()
  const wasm = await build(runClang, sources)
  const hash = sha256(wasm)
  say(`linked ${wasm.length} bytes, sha256 ${hash.slice(0, 16)}…`)
  if (options.check) return compare(wasm, hash)
  writeFileSync(join(here, 'lua.wasm'), wasm)
  writeFileSync(join(here, 'lua.wasm.sha256'), `${hash}  lua.wasm\n`)
  say('wrote lua.wasm and lua.wasm.sha256')
}

function compare(wasm, hash) {
  const committed = readFileSync(join(here, 'lua.wasm'))
  const recorded = readFileSync(join(here, 'lua.wasm.sha256'), 'utf8').split(' ')[0]
  if (sha256(committed) !== recorded) throw new Error(`lua.wasm.sha256 records ${recorded}, but lua.wasm has ${sha256(committed)}`)
  if (!committed.equals(wasm))
    throw new Error(`lua.wasm differs from a fresh build (committed ${recorded}, built ${hash}): run node build.mjs`)
  say('lua.wasm is what its sources build')
}

/** The tarball: given, cached or fetched, and always checked. */
async function fetchSource() {
  const cache = join(here, '.cache')
  const cached = join(cache, pinned.file)
  if (options.source) return checked(readFileSync(options.source), options.source)
  if (existsSync(cached)) return checked(readFileSync(cached), cached)
  const failures = []
  for (const url of pinned.urls) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(60_000) })
      if (!response.ok) throw new Error(`HTTP ${response.status}`)
      const bytes = checked(Buffer.from(await response.arrayBuffer()), url)
      mkdirSync(cache, { recursive: true })
      const temporary = join(cache, `${pinned.file}.${process.pid}`)
      writeFileSync(temporary, bytes)
      renameSync(temporary, cached)
      say(`fetched ${pinned.file}`)
      return bytes
    } catch (error) {
      failures.push(`  ${url}: ${error.cause?.message ?? error.message}`)
    }
  }
  throw new Error(
    `Could not get ${pinned.file} (${pinned.origin}):\n${failures.join('\n')}\nFetch it by hand (apt-get source --download-only lua5.4) and pass --source FILE.`,
  )
}

function checked(bytes, from) {
  const hash = sha256(bytes)
  if (hash !== pinned.sha256) throw new Error(`${from}: sha256 is ${hash}, pinned is ${pinned.sha256}`)
  return bytes
}

/** The C files and headers of src/ in a tar archive, without the stand-alone programs. */
function readTar(tar) {
  const files = {}
  for (let at = 0; at + 512 <= tar.length; ) {
    const name = tar.toString('latin1', at, at + 100).replace(/\0.*$/s, '')
    if (!name) break
    const size = Number.parseInt(tar.toString('latin1', at + 124, at + 136), 8)
    const base = basename(name)
    if (/\/src\/[^/]+\.[ch]$/.test(name) && base !== 'lua.c' && base !== 'luac.c')
      files[base] = tar.toString('utf8', at + 512, at + 512 + size)
    at += 512 + Math.ceil(size / 512) * 512
  }
  return files
}

async function loadToolchain() {
  const folder = join(here, 'toolchain')
  const entry = join(folder, 'node_modules/@yowasp/clang/gen/bundle.js')
  if (!existsSync(entry)) {
    say('installing the toolchain (100 MB, once)')
    execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: folder,
      stdio: ['ignore', 'inherit', 'inherit'],
    })
  }
  const { runClang } = await import(pathToFileURL(entry).href)
  say('toolchain ready')
  return runClang
}

async function build(runClang, lua) {
  const own = readTree(join(here, 'c'))
  const tree = { lua, c: own }
  const units = [
    ...Object.keys(lua)
      .filter((file) => file.endsWith('.c'))
      .map((file) => `lua/${file}`),
    ...Object.keys(own)
      .filter((file) => file.endsWith('.c'))
      .map((file) => `c/${file}`),
    'c/compat/sjlj.c',
  ].sort()
  const objects = {}
  for (const unit of units) {
    const object = basename(unit).replace(/\.c$/, '.o')
    const own = unit.startsWith('c/') ? ['-Wall', '-Wextra', '-Werror'] : []
    const output = await clang(runClang, [...compileFlags, ...own, ...flagsFor(basename(unit)), '-c', unit, '-o', object], tree)
    objects[object] = output[object]
  }
  say(`compiled ${units.length} files`)
  const output = await clang(
    runClang,
    [
      ...target,
      '-mexec-model=reactor',
      ...Object.keys(objects),
      ...['-lwasi-emulated-signal', '-lwasi-emulated-process-clocks'],
      ...['--import-memory', '--max-memory=4294967296', '--stack-first', '--strip-all', '--export=__stack_pointer', '--export-table'].map(
        (flag) => `-Wl,${flag}`,
      ),
      '-Wl,-z,stack-size=1048576',
      ...publicApi(lua).map((name) => `-Wl,--export-if-defined=${name}`),
      ...['-o', 'lua.wasm'],
    ],
    objects,
  )
  return Buffer.from(output['lua.wasm'])
}

/** The C API of the two public headers: exported whole, so that hosts can do what lw_call has no words for. */
function publicApi(lua) {
  /** @type {Set<string>} */
  const names = new Set()
  for (const header of ['lua.h', 'lauxlib.h'])
    for (const match of lua[header].matchAll(/\(((?:lua|luaL)_[a-z]+)\) *\(/g)) names.add(match[1])
  return [...names].sort()
}

async function clang(runClang, args, tree) {
  const messages = []
  try {
    return await runClang(['clang', ...args], tree, { stdout: () => {}, stderr: (bytes) => bytes && messages.push(Buffer.from(bytes)) })
  } catch (error) {
    throw new Error(`clang failed (${error.message}):\n${Buffer.concat(messages).toString()}`)
  }
}

function readTree(folder) {
  const tree = {}
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    tree[entry.name] = entry.isDirectory() ? readTree(join(folder, entry.name)) : readFileSync(join(folder, entry.name), 'utf8')
  return tree
}
