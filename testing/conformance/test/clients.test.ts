import { homeWithKernelspecs, kernels, pythonSuite } from '@llmspell/testkit/vitest'
import { script } from './script.ts'

const home = homeWithKernelspecs()

for (const kernel of kernels) {
  pythonSuite(`Jupyter programs with ${kernel}`, script('clients.py'), {
    needs: ['jupyter-client', 'nbconvert', 'jupyter-console', 'pexpect', 'pyzmq'],
    args: [kernel],
    env: () => home().env,
    timeout: 180_000,
  })
}
