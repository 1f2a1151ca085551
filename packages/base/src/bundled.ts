// Not by `import`: that would load all that Node otherwise loads when it is used.
const { readFileSync, statSync } = process.getBuiltinModule('node:fs')

/**
 * Where to load `name` (`./main.js`) from, seen from the file `here`: its joined form in `./bundle`, which starts several times
 * faster, or itself where there is none or the compiler has run since. Loads nothing else: it is called before anything is.
 */
export function bundled(here: string, name: string): string {
  const directory = new URL('./bundle/', here)
  const joined = new URL(name, directory)
  try {
    const inputs = JSON.parse(readFileSync(new URL('inputs.json', directory), 'utf8')) as string[]
    const { mtimeMs } = statSync(joined)
    for (const input of inputs) {
      const built = statSync(new URL(input, directory), { throwIfNoEntry: false })
      if (built !== undefined && built.mtimeMs > mtimeMs) return new URL(name, here).href
    }
    return joined.href
  } catch {
    return new URL(name, here).href
  }
}
