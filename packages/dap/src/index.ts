export type * as Dap from './protocol.ts'
