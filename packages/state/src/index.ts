export type { StateDriver, StateEntry } from './driver.ts'
export { createMemoryDriver } from './drivers/memory.ts'
export { encodeJson, type JsonValue } from './json.ts'
export { createState, type ListOptions, type SetOptions, type State, type StateLimits, type StateValue } from './state.ts'
