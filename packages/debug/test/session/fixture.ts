import { afterEach } from 'vitest'
import type { ProgramName } from '../../src/testing/debugging.ts'
import { toyPrograms } from '../toy/toy-programs.ts'
import { ToyKernel } from './toy-kernel.ts'

/** A kernel for each test, gone after it. */
export function toyKernels(): () => ToyKernel {
  const kernels: ToyKernel[] = []
  afterEach(async () => {
    for (const kernel of kernels.splice(0)) await kernel.dispose()
  })
  return () => {
    const kernel = new ToyKernel()
    kernels.push(kernel)
    return kernel
  }
}

export function code(name: ProgramName): string {
  return toyPrograms[name] ?? ''
}

/** The line that `@mark` names. */
export function line(name: ProgramName, mark: string): number {
  return (
    code(name)
      .split('\n')
      .findIndex((text) => new RegExp(`@${mark}\\b`).test(text)) + 1
  )
}
