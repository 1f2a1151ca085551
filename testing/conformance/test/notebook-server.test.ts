import { homeWithKernelspecs, kernels, pythonSuite } from '@llmspell/testkit/vitest'
import { script } from './script.ts'

const home = homeWithKernelspecs()

for (const kernel of kernels) {
  pythonSuite(`notebook server with ${kernel}`, script('notebook_server.py'), {
    needs: ['notebook', 'jupyter-client', 'pyzmq'],
    args: [kernel],
    env: () => home().env,
    timeout: 120_000,
  })
}
