import { fileURLToPath } from 'node:url'

/** Lets Python scripts import the modules that the testkit brings (`wire`, `kernels`, `suite`). */
export const pythonPath: string = fileURLToPath(new URL('../python', import.meta.url))
