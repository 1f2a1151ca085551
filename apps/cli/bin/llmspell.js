#!/usr/bin/env node
// Says which Node is needed before anything is loaded that an older one could not even parse: keep this file old-fashioned.
var version = process.versions.node.split('.').map(Number)
if (version[0] < 22 || (version[0] === 22 && version[1] < 19)) {
  // biome-ignore lint/style/useTemplate: an old Node reads this line
  console.error('llmspell needs Node.js 22.19 or newer; this is ' + process.version + ' (' + process.execPath + ').')
  console.error('Get one from https://nodejs.org, or run it through npm: npx --package=node@24 --package=@llmspell/cli llmspell')
  process.exit(1)
}
void import('@llmspell/base/bundled')
  .then((base) => import(base.bundled(new URL('../dist/', import.meta.url).href, './main.js')))
  .then((program) => program.main())
