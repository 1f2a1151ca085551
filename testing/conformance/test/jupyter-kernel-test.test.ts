import { homeWithKernelspecs, kernels, pythonSuite } from '@llmspell/testkit/vitest'
import { script } from './script.ts'

const home = homeWithKernelspecs()

for (const kernel of kernels) {
  pythonSuite(`jupyter_kernel_test of ${kernel}`, script('kernel_test.py'), {
    needs: ['kernel-test'],
    args: [kernel],
    env: () => home().env,
    timeout: 120_000,
  })
}
