import { fileURLToPath } from 'node:url'
import { createHome, type Home, kernelMain } from '@llmspell/testkit'
import { pythonSuite } from '@llmspell/testkit/vitest'
import { afterAll, beforeAll } from 'vitest'

let home: Home
beforeAll(() => {
  home = createHome()
})
afterAll(() => home.dispose())

pythonSuite('bad input at the sockets', fileURLToPath(new URL('../python/bad_input.py', import.meta.url)), {
  needs: ['pyzmq'],
  env: () => ({ ...home.env, KERNEL_ARGV: JSON.stringify([process.execPath, kernelMain(), '--connection-file', '{connection_file}']) }),
  timeout: 180_000,
})
