// Bundles the extension into one file and packs it as dist/llmspell-vscode-VERSION.vsix, the format that VS Code installs: a zip with
// the extension, a manifest and a list of content types. Runs after `tsc -b`.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { zipSync } from 'fflate'
import { rolldown } from 'rolldown'

const folder = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))

await bundle()
const file = join(folder, 'dist', `${manifest.name}-${manifest.version}.vsix`)
writeFileSync(file, pack())
process.stdout.write(`${file}\n`)

async function bundle() {
  const entry = join(folder, 'dist', 'extension.js')
  const outDir = join(folder, 'dist', 'bundle')
  rmSync(outDir, { recursive: true, force: true })
  mkdirSync(outDir, { recursive: true })
  const build = await rolldown({
    input: { extension: entry },
    platform: 'node',
    external: ['vscode'],
    onLog: (level, log) => {
      if (level === 'warn') throw new Error(log.message)
    },
  })
  const { output } = await build.write({ dir: outDir, format: 'cjs', entryFileNames: '[name].cjs', comments: false })
  // Whatever else it needs would have to be in the package: an extension has no node_modules of ours.
  const foreign = output.flatMap(({ imports = [] }) => imports).filter((name) => name !== 'vscode' && !name.startsWith('node:'))
  const besides = [...output.slice(1).map(({ fileName }) => fileName), ...foreign]
  if (besides.length > 0) throw new Error(`the bundle is not alone: ${besides.join(', ')}`)
}

function pack() {
  const { scripts: _, dependencies: __, devDependencies: ___, private: ____, ...shipped } = manifest
  const files = {
    '[Content_Types].xml': contentTypes(),
    'extension.vsixmanifest': vsixManifest(),
    'extension/package.json': `${JSON.stringify(shipped, null, 2)}\n`,
    'extension/dist/bundle/extension.cjs': read('dist/bundle/extension.cjs'),
    'extension/README.md': read('README.md'),
    'extension/LICENSE.txt': readFileSync(join(folder, '..', '..', 'LICENSE')),
    'extension/media/icon.png': read('media/icon.png'),
    'extension/media/view.svg': read('media/view.svg'),
    'extension/media/debugging.png': read('media/debugging.png'),
  }
  const bytes = Object.entries(files).map(([name, data]) => [name, typeof data === 'string' ? new TextEncoder().encode(data) : data])
  // One date for all, so that the same sources give the same file.
  return zipSync(Object.fromEntries(bytes), { mtime: new Date(2000, 0, 1), level: 9 })
}

function read(path) {
  return readFileSync(join(folder, path))
}

function contentTypes() {
  const types = {
    '.json': 'application/json',
    '.cjs': 'application/javascript',
    '.md': 'text/markdown',
    '.txt': 'text/plain',
    '.png': 'image/png',
    '.svg': 'image/svg+xml',
    '.vsixmanifest': 'text/xml',
  }
  const rows = Object.entries(types).map(([extension, type]) => `<Default Extension="${extension}" ContentType="${type}"/>`)
  return `<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">${rows.join('')}</Types>
`
}

function vsixManifest() {
  const { name, version, publisher, displayName, description, categories, keywords, engines } = manifest
  const property = (id, value) => `<Property Id="Microsoft.VisualStudio.${id}" Value="${xml(value)}"/>`
  const asset = (type, path) => `<Asset Type="Microsoft.VisualStudio.${type}" Path="extension/${path}" Addressable="true"/>`
  return `<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">
<Metadata>
<Identity Language="en-US" Id="${xml(name)}" Version="${version}" Publisher="${xml(publisher)}"/>
<DisplayName>${xml(displayName)}</DisplayName>
<Description xml:space="preserve">${xml(description)}</Description>
<Tags>${xml(keywords.join(','))}</Tags>
<Categories>${xml(categories.join(','))}</Categories>
<GalleryFlags>Public</GalleryFlags>
<Properties>
${property('Code.Engine', engines.vscode)}
${property('Code.ExtensionDependencies', '')}
${property('Code.ExtensionPack', '')}
${property('Code.ExtensionKind', 'workspace')}
${property('Code.LocalizedLanguages', '')}
${property('Services.GitHubFlavoredMarkdown', 'true')}
${property('Services.Content.Pricing', 'Free')}
</Properties>
<License>extension/LICENSE.txt</License>
<Icon>extension/media/icon.png</Icon>
</Metadata>
<Installation><InstallationTarget Id="Microsoft.VisualStudio.Code"/></Installation>
<Dependencies/>
<Assets>
${asset('Code.Manifest', 'package.json')}
${asset('Services.Content.Details', 'README.md')}
${asset('Services.Content.License', 'LICENSE.txt')}
${asset('Services.Icons.Default', 'media/icon.png')}
</Assets>
</PackageManifest>
`
}

function xml(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
