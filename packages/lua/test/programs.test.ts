import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { newState } from './state.ts'

const folder = new URL('./programs/', import.meta.url)
const TEST_TIMEOUT = 30_000

function nativeLua(): boolean {
  try {
    return execFileSync('lua5.4', ['-v'], { encoding: 'utf8' }).startsWith('Lua 5.4')
  } catch {
    return false
  }
}

const available = nativeLua()

describe('programs print what the native interpreter prints', () => {
  it('has that interpreter where it is required', () => {
    expect(available || process.env['LLMSPELL_REQUIRE_TOOLS'] === undefined).toBe(true)
  })

  it.runIf(available).for(readdirSync(folder))(
    '%s',
    (file) => {
      const source = readFileSync(new URL(file, folder), 'utf8')
      const native = execFileSync('lua5.4', [file], { cwd: folder, encoding: 'utf8' })
      const { vm, stdout } = newState({ env: { TZ: 'UTC' } })
      vm.setGlobal('arg', [])
      vm.execute(source, `@${file}`)
      expect(stdout().replace(/\b0x[0-9a-f]+/g, 'ADDRESS')).toBe(native.replace(/\b0x[0-9a-f]+/g, 'ADDRESS'))
    },
    TEST_TIMEOUT,
  )
})
