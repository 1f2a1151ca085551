export type { Carrier } from './carrier.ts'
export { type ClientSocketsOptions, connectKernel } from './client-sockets.ts'
export { bindKernelSockets, type KernelSockets, type KernelSocketsOptions } from './kernel-sockets.ts'
export { registerKernel } from './register-kernel.ts'
