import type { ThreadPointer } from './event.ts'
import type { HostNames } from './host-registry.ts'

/** A copy of an idle state: see `vm.snapshot`. Plain data. */
export interface LuaSnapshot extends HostNames {
  readonly module: string
  readonly bytes: Uint8Array
  readonly stackPointer: number
  readonly mainThread: ThreadPointer
  readonly memoryLimit: number
  readonly nextDescriptor: number
}
