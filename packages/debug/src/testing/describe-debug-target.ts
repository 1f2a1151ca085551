import { withTimeout } from '@llmspell/base'
import { afterEach, describe } from 'vitest'
import type { DebugTargetHarness } from './debug-target-harness.ts'
import { Debugging, STEP_TIMEOUT_MS, TEST_TIMEOUT_MS } from './debugging.ts'
import { breakpointRules } from './rules/breakpoint-rules.ts'
import { evaluationRules } from './rules/evaluation-rules.ts'
import { exceptionRules } from './rules/exception-rules.ts'
import { inspectionRules } from './rules/inspection-rules.ts'
import { lifeCycleRules } from './rules/life-cycle-rules.ts'
import { steppingRules } from './rules/stepping-rules.ts'

export interface DebugTargetSuite {
  readonly harness: DebugTargetHarness
  /** A namespace with the debugger attached, gone after the test. */
  open(): Promise<Debugging>
  /** Not attached yet. */
  openDetached(): Promise<Debugging>
}

/** What every debug target owes to its sessions. Run it in a test file: `describeDebugTarget('my engine', harness)`. */
export function describeDebugTarget(name: string, harness: DebugTargetHarness): void {
  describe(name, { timeout: TEST_TIMEOUT_MS }, () => {
    const opened: Debugging[] = []

    afterEach(async () => {
      for (const { namespace } of opened.splice(0)) await withTimeout(namespace.dispose(), STEP_TIMEOUT_MS, 'dispose')
    }, TEST_TIMEOUT_MS)

    const openDetached = async (): Promise<Debugging> => {
      const namespace = await withTimeout(harness.open(), STEP_TIMEOUT_MS, 'a namespace')
      const debugging = new Debugging(namespace, harness.programs)
      opened.push(debugging)
      return debugging
    }
    const open = async (): Promise<Debugging> => {
      const debugging = await openDetached()
      await debugging.attach()
      return debugging
    }

    const suite: DebugTargetSuite = { harness, open, openDetached }
    lifeCycleRules(suite)
    breakpointRules(suite)
    steppingRules(suite)
    inspectionRules(suite)
    evaluationRules(suite)
    exceptionRules(suite)
  })
}
