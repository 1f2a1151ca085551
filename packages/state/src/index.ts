export type { StateDriver, StateEntry } from './driver.ts'
