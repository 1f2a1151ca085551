import { fileURLToPath } from 'node:url'
import { createHome, type Home } from '@llmspell/testkit'
import { afterAll, beforeAll, expect } from 'vitest'

/** The kernelspecs under test. To see whether a test is right, set `LLMSPELL_CONFORMANCE=python3` and try it on ipykernel. */
export const kernels: readonly string[] = process.env.LLMSPELL_CONFORMANCE?.split(',') ?? [
  'llmspell-lua',
  'llmspell-typescript',
  'llmspell-javascript',
]

export function script(name: string): string {
  return fileURLToPath(new URL(`../python/${name}`, import.meta.url))
}

/** A home with our kernelspecs installed, for the tests of one file. Afterwards nothing of it may run. */
export function homeWithKernelspecs(): () => Home {
  let home: Home | undefined
  beforeAll(async () => {
    home = createHome()
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
