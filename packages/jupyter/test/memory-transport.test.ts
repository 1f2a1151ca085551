import { createMemoryTransport } from '../src/memory-transport.ts'
import { describeTransport } from '../src/testing/index.ts'

describeTransport('in memory', {
  create: async () => {
    const [kernel, connect] = createMemoryTransport()
    return { kernel, connect }
  },
})
