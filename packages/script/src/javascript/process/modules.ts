import { existsSync, readFileSync } from 'node:fs'
import { createRequire, isBuiltin, type LoadFnOutput, registerHooks } from 'node:module'
import { dirname, isAbsolute, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { constants, Script } from 'node:vm'
import { CONSTANT, DYNAMIC_IMPORT, IMPORT_META } from '../source/rewrite.ts'
import { FILE_MARK, scriptUrl, TRANSFORMED } from '../source/script-url.ts'
import { stripTypes } from '../source/typescript.ts'
import type { Cell } from './cell.ts'
import type { ScriptThread } from './script-thread.ts'
import { IMPORT_FRAME, rememberScript } from './stack-traces.ts'

type Import = (specifier: unknown, options?: unknown) => Promise<Record<string, unknown>>

/** `import`, `import.meta`, `require` and what goes with them, as seen from the file of the running code or the working directory. */
export function modules(thread: ScriptThread): void {
  const importers = new Map<string, Import>()
  const requires = new Map<string, NodeJS.Require>()

  const importFrom = (base: string): Import => {
    let found = importers.get(base)
    if (!found) {
      // What is imported is looked for from `filename`; debuggers know the function by the other name, as none of the user's.
      found = new Script(
        `(function ${IMPORT_FRAME}(specifier, options) { return options === undefined ? import(specifier) : import(specifier, options) })\n//# sourceURL=llmspell:import`,
        {
          filename: base,
          importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
        },
      ).runInThisContext() as Import
      importers.set(base, found)
    }
    return found
  }

  const dynamicImport = async (specifier: unknown, options?: unknown, wanted?: readonly string[]): Promise<unknown> => {
    loaded.length = 0
    const namespace = await importFrom(baseOf(thread.cell))(specifier, options).catch(locateSyntaxError)
    for (const name of wanted ?? []) {
      if (!(name in namespace))
        throw new SyntaxError(`The requested module '${String(specifier)}' does not provide an export named '${name}'`)
    }
    return namespace
  }

  const requireOf = (base: string): NodeJS.Require => {
    let found = requires.get(base)
    if (!found) {
      found = createRequire(base)
      // So that `require.main === module` holds in a script.
      found.main = main as unknown as NodeJS.Module
      requires.set(base, found)
    }
    return found
  }

  const main = { exports: {}, children: [], loaded: false, paths: [] }
  hidden(DYNAMIC_IMPORT, dynamicImport)
  hidden(CONSTANT, () => {
    throw new TypeError('Assignment to constant variable.')
  })
  getter(IMPORT_META, () => {
    const base = baseOf(thread.cell)
    const url = pathToFileURL(base).href
    return {
      __proto__: null,
      dirname: dirname(base),
      filename: base,
      url,
      main: true,
      resolve: (specifier: string) =>
        isBuiltin(specifier) && !specifier.startsWith('node:') ? `node:${specifier}` : resolve(requireOf(base), specifier, url),
    }
  })
  getter('require', () => requireOf(baseOf(thread.cell)))
  getter('__filename', () => fileOf(thread.cell))
  getter('__dirname', () => {
    const file = fileOf(thread.cell)
    return file && dirname(file)
  })
  getter('module', () => (fileOf(thread.cell) === undefined ? undefined : main))
  getter('exports', () => (fileOf(thread.cell) === undefined ? undefined : main.exports))
}

function fileOf(cell: Cell | undefined): string | undefined {
  return cell && isAbsolute(cell.source) ? cell.source : undefined
}

/** A file in the working directory that need not exist: what relative specifiers are relative to. */
function baseOf(cell: Cell | undefined): string {
  return fileOf(cell) ?? join(process.cwd(), '[cell]')
}

function resolve(require: NodeJS.Require, specifier: string, url: string): string {
  if (/^(\.{0,2}\/)/.test(specifier)) return new URL(specifier, url).href
  if (/^[a-z][a-z+.-]*:/i.test(specifier)) return specifier
  return pathToFileURL(require.resolve(specifier)).href
}

function hidden(name: string, value: unknown): void {
  Object.defineProperty(globalThis, name, { value, writable: false, configurable: false, enumerable: false })
}

/** May be replaced by a script. */
function getter(name: string, get: () => unknown): void {
  Object.defineProperty(globalThis, name, {
    get,
    set(value: unknown) {
      Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: true })
    },
    configurable: true,
    enumerable: false,
  })
}

/** Files that the import at hand has loaded. */
const loaded: string[] = []
const LOADED_MAX = 500

/** V8 does not say where a module has its syntax error: look for it in what was loaded. */
async function locateSyntaxError(error: unknown): Promise<never> {
  if (!(error instanceof SyntaxError) || /^(file:|\/)/.test(String(error.stack))) throw error
  const { problemsIn } = await import('../source/prepare.ts')
  for (const url of loaded) {
    const file = fileURLToPath(url)
    const problem =
      /\.[cm]?[jt]s$/.test(file) && problemsIn(readFileSync(file, 'utf8'), /ts$/.test(file) ? 'typescript' : 'javascript', file)
    if (!problem) continue
    Object.defineProperty(error, 'stack', { value: problem.traceback.join('\n'), configurable: true, writable: true })
    break
  }
  throw error
}

/** What Node's own type stripping refuses: worth a look by the compiler that can do it. */
const NEEDS_TRANSFORM = /\b(?:enum|namespace|module)\s+[\w$]+|\bconstructor\s*\(|\bimport\s+[\w$]+\s*=|<[\w$]+>\s*[\w$([{]/

/** Files with enums, namespaces and parameter properties can be imported like other TypeScript. */
export function installTypeScriptFiles(): void {
  registerHooks({
    load(url, context, nextLoad) {
      if (url.startsWith('file:') && loaded.length < LOADED_MAX) loaded.push(url)
      // A debugger knows files by their paths: one with a query it must meet before it runs.
      if (/^file:[^?#]*[?#]/.test(url)) return marked(nextLoad(url, context))
      if (!/^file:.*\.[mc]?ts$/.test(url) || url.includes('/node_modules/')) return nextLoad(url, context)
      const file = fileURLToPath(url)
      const source = readFileSync(file, 'utf8')
      if (!NEEDS_TRANSFORM.test(source)) return nextLoad(url, context)
      const stripped = stripTypes(source, file)
      // Node says what is wrong, and where.
      if ('problem' in stripped) return nextLoad(url, context)
      const format = isModule(file, stripped.code) ? 'module' : 'commonjs'
      const name = `${TRANSFORMED}${scriptUrl(file)}`
      rememberScript(name, file, stripped.map)
      return { format, source: `${stripped.code}\n//# sourceURL=${name}${inlineMap(stripped.map)}`, shortCircuit: true }
    },
  })
}

/** For debuggers, as every tool writes it. */
function inlineMap(map: string | undefined): string {
  return map === undefined ? '' : `\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(map).toString('base64')}`
}

function marked(file: LoadFnOutput): LoadFnOutput {
  const { format, source } = file
  if (source === undefined || source === null || !/^(?:module|commonjs)/.test(format ?? '')) return file
  return {
    ...file,
    source: `${typeof source === 'string' ? source : Buffer.from(source as Uint8Array).toString()}\n//# sourceMappingURL=${FILE_MARK}`,
  }
}

/** As Node decides it. */
function isModule(file: string, code: string): boolean {
  if (/\.[mc]ts$/.test(file)) return file.endsWith('.mts')
  const type = packageType(dirname(file))
  return type === undefined ? /^\s*(?:import|export)\b(?!\s*\()/m.test(code) : type === 'module'
}

/** The `type` of the package that a directory belongs to. */
function packageType(directory: string): string | undefined {
  const manifest = join(directory, 'package.json')
  if (existsSync(manifest)) return (JSON.parse(readFileSync(manifest, 'utf8')) as { type?: string }).type
  const parent = dirname(directory)
  return parent === directory ? undefined : packageType(parent)
}
