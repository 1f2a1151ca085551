import { fileURLToPath } from 'node:url'
import { createHome, type Home, kernelMain } from '@llmspell/testkit'
import { pythonSuite } from '@llmspell/testkit/vitest'
import { afterAll, beforeAll } from 'vitest'

let home: Home
beforeAll(() => {
  home = createHome()
})
afterAll(() => home.dispose())

pythonSuite('output', fileURLToPath(new URL('../python/output.py', import.meta.url)), {
  needs: ['pyzmq'],
  env: () => ({ ...home.env, KERNEL_ARGV: JSON.stringify([process.execPath, kernelMain(), '--connection-file', '{connection_file}']) }),
  timeout: 300_000,
})
