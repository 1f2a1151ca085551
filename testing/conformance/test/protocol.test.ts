import { homeWithKernelspecs, kernels, pythonSuite } from '@llmspell/testkit/vitest'
import { script } from './script.ts'

const home = homeWithKernelspecs()

for (const kernel of kernels) {
  pythonSuite(`protocol of ${kernel}`, script('protocol.py'), {
    needs: ['jupyter-client', 'pyzmq'],
    args: [kernel],
    env: () => home().env,
    timeout: 120_000,
    // Lua has no timers: nothing of it comes late.
    without: kernel === 'llmspell-lua' ? ['Execution.test_late_output_belongs_to_its_cell'] : [],
  })
}
