import { afterAll, beforeAll, expect } from 'vitest'
import { createHome, type Home } from './home.ts'

/** The kernelspecs under test. To see whether a test is right, set `LLMSPELL_CONFORMANCE=python3` and try it on ipykernel. */
export const kernels: readonly string[] = process.env.LLMSPELL_CONFORMANCE?.split(',') ?? [
  'llmspell-lua',
  'llmspell-javascript',
  'llmspell-typescript',
]

/** A home with our kernelspecs installed, for the tests of one file. Afterwards nothing of it may run. */
export function homeWithKernelspecs(): () => Home {
  let home: Home | undefined
  beforeAll(async () => {
    home = createHome()
    if (!kernels.some((name) => name.startsWith('llmspell-'))) return
    const installed = await home.llmspell(['kernelspec', 'install', '--prefix', `${home.dir}/prefix`])
    expect(installed.code, installed.stderr).toBe(0)
  })
  afterAll(async () => {
    const left = await home?.dispose()
    expect(left, 'processes that outlived their clients').toEqual([])
  })
  return () => {
    if (!home) throw new Error('asked before the tests began')
    return home
  }
}
