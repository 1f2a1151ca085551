import { readFileSync } from 'node:fs'

/** Of this package; all packages are released together under one number. */
export const VERSION: string = (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string })
  .version
