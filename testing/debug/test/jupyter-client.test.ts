import { homeWithKernelspecs, kernels, pythonSuite } from '@llmspell/testkit/vitest'
import { script } from './script.ts'

const home = homeWithKernelspecs()

for (const kernel of kernels) {
  pythonSuite(`Jupyter's debug protocol with ${kernel}`, script('jupyter_debugger.py'), {
    needs: ['jupyter-client', 'ipykernel'],
    args: [kernel],
    env: () => ({ ...home().env, PYDEVD_DISABLE_FILE_VALIDATION: '1' }),
    timeout: 120_000,
  })
}
