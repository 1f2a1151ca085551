import { createMemoryDriver } from '../../src/drivers/memory.ts'
import { describeStateDriver } from '../../src/testing/index.ts'

describeStateDriver('memory', { open: () => createMemoryDriver() })
