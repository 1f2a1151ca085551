import { homeWithKernelspecs, kernels, pythonSuite } from '@llmspell/testkit/vitest'
import { script } from './script.ts'

const home = homeWithKernelspecs()

for (const kernel of kernels.filter((name) => name.startsWith('llmspell-'))) {
  pythonSuite(`debug protocol of ${kernel}`, script('debugger.py'), {
    needs: ['jupyter-client', 'pyzmq'],
    args: [kernel],
    env: () => home().env,
    timeout: 180_000,
  })
}
